"""The words of the reports. `[a|b]` is a free choice, `{slot}` is filled in.

Slots: side (left, right), sides (left, right, bilateral), zone ("left upper zone"), lobe ("left lower lobe"),
size ("mild"), sized ("mildly"), cm ("1.4"), rib ("seventh").
"""

AFFIRMED = {
    "Cardiomegaly": (
        "[The heart is|The cardiac silhouette is|The cardiomediastinal silhouette is|Heart size is] {sized} "
        "enlarged.",
        "[There is|Noted is] {size} cardiomegaly.",
        "{Size} [cardiomegaly|enlargement of the cardiac silhouette] [is present|is seen].",
        "[Cardiac silhouette|Heart] {sized} enlarged with a widened cardiothoracic ratio.",
    ),
    "Pleural Effusion": (
        "[There is a|A] {amount} {sides} pleural effusion{layering}.",
        "{Amount} {sides} pleural effusion [is present|is noted|is seen]{layering}.",
        "[Blunting|Obscuration] of the {sides} costophrenic [angle|sulcus] [compatible with|due to|from] a "
        "{amount} pleural effusion.",
    ),
    "Pleural Effusion/bilateral": (
        "[There are|Presence of] bilateral pleural effusions, {amount} in size{greater}.",
        "{Amount} bilateral pleural effusions [are present|are seen|are noted]{greater}.",
    ),
    "Pneumothorax": (
        "[There is a|A] {amount} {side} [apical |]pneumothorax[.| with a visible pleural line.]",
        "{Amount} {side} [apical |]pneumothorax [is present|is seen|is noted].",
        "[A visceral pleural line is seen on the {side}, consistent with|Lucency at the {side} apex beyond "
        "a pleural line indicates] a {amount} pneumothorax.",
    ),
    "Consolidation": (
        "[There is|Demonstrated is] {density} consolidation in the {lobe}.",
        "{Density} [airspace consolidation|focal consolidation] in the {lobe}[.|, suspicious for "
        "pneumonia.|, compatible with infection.]",
        "The {lobe} shows {density} consolidation [with air bronchograms|in the {zone}|projecting over the "
        "{zone}].",
    ),
    "Consolidation/behind heart": (
        "[There is|Demonstrated is] {density} retrocardiac consolidation in the {lobe}[.|, best seen on the "
        "lateral view.]",
        "{Density} consolidation in the {lobe} behind the heart[.|, projecting over the spine on the "
        "lateral view.]",
    ),
    "Atelectasis": (
        "[There is|Noted is] {size} {plate} atelectasis in the {zone}.",
        "{Size} [linear|band-like|plate-like|subsegmental] atelectasis [is seen |]at the {zone}.",
        "[Linear|Band-like|Streaky] opacity in the {zone} [consistent with|compatible with|from] {size} "
        "atelectasis.",
    ),
    "Atelectasis/collapse": (
        "{Size} atelectasis of the {lobe} with [volume loss|elevation of the {side} hemidiaphragm].",
        "[There is|Noted is] {size} volume loss in the {lobe} [consistent with|due to] atelectasis.",
    ),
    "Nodule": (
        "[There is a|A] {cm} cm [nodule|pulmonary nodule|rounded nodule] in the {place}.",
        "{Cm} cm [pulmonary |]nodule [projects over|is seen in|overlies] the {place}.",
        "[A well-defined|A small] nodule measuring {cm} cm is [noted|seen] in the {place}.",
    ),
    "Mass": (
        "[There is a|A] {cm} cm [mass|lung mass|rounded mass] in the {place}.",
        "{Cm} cm [mass|lobulated mass|lung mass] [projects over|is seen in|overlies] the {place}.",
        "[A large|A lobulated] mass measuring {cm} cm is [noted|seen] in the {place}.",
    ),
    "Edema": (
        "[There is|Findings show] {size} [pulmonary|interstitial|interstitial pulmonary] edema.",
        "{Size} pulmonary edema with [perihilar haziness|vascular congestion|cephalization of the vessels].",
        "[Perihilar opacities|Indistinct vessels and interstitial thickening] [consistent with|in keeping "
        "with] {size} pulmonary edema.",
    ),
    "Emphysema": (
        "[The lungs are hyperinflated|Hyperinflation] with flattened diaphragms, [consistent "
        "with|compatible with] {size} emphysema.",
        "{Size} emphysema[.| with hyperexpanded lungs.| with attenuated peripheral vessels.]",
        "[There is|Noted is] {size} emphysematous change with [hyperinflation|increased lucency of the "
        "lungs].",
    ),
    "Rib Fracture": (
        "[There is a|A] {displaced} fracture of the {side} {rib} rib.",
        "{Displaced} {side} {rib} rib fracture [is seen|is noted|is present].",
        "[Cortical step-off|Cortical disruption] of the {side} {part} {rib} rib [consistent with "
        "a|indicating a] {displaced} fracture.",
    ),
}
"""Finding, or finding/kind -> sentences that say it is there."""

HEDGED = {
    "Cardiomegaly": (
        "[The heart may be|Heart size appears possibly|The cardiac silhouette is questionably] {sized} "
        "enlarged.",
        "Possible {size} cardiomegaly[.|, accentuated by technique.]",
    ),
    "Pleural Effusion": (
        "[Possible|Probable|Suspected] {amount} {sides} pleural effusion.",
        "A {amount} {sides} pleural effusion [cannot be excluded|may be present|is suspected].",
    ),
    "Pneumothorax": (
        "[Possible|Questionable|Suspected] {amount} {side} apical pneumothorax.",
        "A {amount} {side} pneumothorax [cannot be excluded|may be present|is suspected].",
    ),
    "Consolidation": (
        "[Patchy|Hazy|Ill-defined] opacity in the {lobe} [may represent|could reflect|is suspicious for] "
        "{density} consolidation.",
        "[Possible|Questionable] {density} consolidation in the {lobe}.",
    ),
    "Atelectasis": (
        "[Streaky|Linear] opacity in the {zone}, [likely|probably|possibly] {size} atelectasis.",
        "[Probable|Possible] {size} atelectasis in the {zone}.",
    ),
    "Nodule": (
        "[Possible|Questionable] {cm} cm nodule in the {place}[.|, could be a vessel on end.]",
        "A nodular density of {cm} cm over the {place} may represent a nodule [or a nipple shadow|or "
        "overlapping vessels].",
    ),
    "Mass": (
        "[Possible|Suspected] {cm} cm mass in the {place}.",
        "A rounded opacity of {cm} cm over the {place} could represent a mass.",
    ),
    "Edema": (
        "[Possible|Suspected] {size} [interstitial |pulmonary |]edema.",
        "Mild prominence of the vessels may reflect {size} edema.",
    ),
    "Emphysema": (
        "[Possible|Probable] {size} emphysema.",
        "Large lung volumes may reflect {size} emphysema.",
    ),
    "Rib Fracture": (
        "[Possible|Questionable] {displaced} fracture of the {side} {rib} rib.",
        "Irregularity of the {side} {rib} rib may represent a {displaced} fracture.",
    ),
}
"""Finding -> sentences that leave it open."""

CONCLUDED = {
    "Cardiomegaly": ("{Size} cardiomegaly.", "[Enlarged heart|{Size} cardiac enlargement]."),
    "Pleural Effusion": ("{Amount} {sides} pleural effusion.", "{Sides} pleural effusion, {amount}."),
    "Pleural Effusion/bilateral": ("{Amount} bilateral pleural effusions.",),
    "Pneumothorax": ("{Amount} {side} pneumothorax.", "{Side} pneumothorax, {amount}."),
    "Consolidation": (
        "{Lobe} [pneumonia|consolidation].",
        "{Lobe} consolidation, [suspicious for pneumonia|follow-up recommended|likely infectious].",
    ),
    "Atelectasis": ("{Zone} atelectasis.", "{Size} {zone} atelectasis."),
    "Nodule": (
        "{Place} nodule, [CT recommended|follow-up recommended|recommend comparison with prior studies].",
        "{Cm} cm {place} nodule.",
    ),
    "Mass": (
        "{Place} mass, [CT recommended|concerning for malignancy|further evaluation with CT advised].",
        "{Cm} cm {place} mass.",
    ),
    "Edema": ("{Size} pulmonary edema.", "[Congestive changes with {size} edema|{Size} interstitial edema]."),
    "Emphysema": ("{Size} emphysema.", "[COPD with {size} emphysema|Hyperinflation and {size} emphysema]."),
    "Rib Fracture": ("{Side} {rib} rib fracture.", "{Displaced} fracture, {side} {rib} rib."),
}
"""Finding, or finding/kind -> its line in the impression."""

CONCLUDED_OPEN = {
    "Cardiomegaly": "Possible {size} cardiomegaly.",
    "Pleural Effusion": "[Possible|Suspected] {amount} {sides} pleural effusion.",
    "Pneumothorax": (
        "[Possible|Suspected] {side} pneumothorax, [repeat film in expiration|follow-up] advised."
    ),
    "Consolidation": "[Possible|Suspected] {lobe} [pneumonia|consolidation].",
    "Atelectasis": "[Probable|Possible] {zone} atelectasis.",
    "Nodule": "[Possible|Questionable] {place} nodule.",
    "Mass": "[Possible|Suspected] {place} mass.",
    "Edema": "Possible {size} edema.",
    "Emphysema": "Possible {size} emphysema.",
    "Rib Fracture": "[Possible|Questionable] {side} {rib} rib fracture.",
}
"""Finding -> its line in the impression where it was left open."""

DENIED = {
    "Pleural Effusion": "pleural effusion",
    "Pneumothorax": "pneumothorax",
    "Consolidation": "[focal |][consolidation|airspace consolidation]",
    "Edema": "[pulmonary |]edema",
    "Atelectasis": "atelectasis",
    "Nodule": "[suspicious |pulmonary |]nodule",
    "Mass": "mass",
}
"""Finding -> how it is called in a list of what is absent."""

NO_LIST = (
    "[No|There is no|There is no evidence of|No evidence of] {list}.",
    "[Negative for|No visible|No definite] {list}.",
)
NORMAL_HEART = (
    "[The heart is|Heart size is|The cardiac silhouette is] [normal|normal in size|within normal limits].",
    "[The cardiomediastinal silhouette is|Cardiac and mediastinal contours are] [normal|unremarkable|within "
    "normal limits].",
    "[Heart size normal|Normal heart size|No cardiomegaly].",
)
NORMAL_LUNGS = (
    "[The lungs are|Both lungs are|Lungs are] [clear|clear bilaterally|well expanded and clear].",
    "Lungs [clear|well aerated and clear].",
)
NORMAL_BONES = (
    "[No|There is no] [acute|displaced] rib fracture.",
    "[The bones are intact|Osseous structures are intact|No acute bony abnormality|The visualized ribs are "
    "intact].",
)
NORMAL_REST = {
    "mediastinum": "[The mediastinum is|Mediastinal contours are] [unremarkable|normal].",
    "trachea": "[The trachea is midline|Trachea midline].",
    "vessels": "[Pulmonary vascularity is|The pulmonary vessels are] normal.",
    "soft tissues": "[The soft tissues are|Soft tissues] unremarkable.",
    "abdomen": "[The visualized upper abdomen is|Upper abdomen] unremarkable.",
    "aorta": "[The aorta is|Aortic contour is] [normal|unremarkable].",
}
"""Statements that fill up a short report."""
DEVICES = {
    "pacemaker": (
        "[A left-sided pacemaker is in place|Left chest wall pacemaker with leads over the right "
        "heart|Dual-lead pacemaker in the left chest]."
    ),
    "sternotomy": (
        "[Median sternotomy wires are intact|Status post median sternotomy|Sternal wires are noted]."
    ),
    "catheter": (
        "[A right central venous catheter ends in the superior vena cava|Right-sided central line with its "
        "tip in the SVC]."
    ),
    "granuloma": "[Calcified granuloma|A calcified granuloma is noted] in the {side} lung.",
    "spondylosis": (
        "[Degenerative changes of the thoracic spine|Mild spondylosis of the thoracic spine|There are "
        "degenerative changes in the spine]."
    ),
}
SHALLOW = "[Low lung volumes|Lung volumes are low|The inspiration is shallow]."
UNFOLDED = "[The thoracic aorta is tortuous|Tortuous aorta|Unfolded thoracic aorta]."
NORMAL_IMPRESSION = (
    "No [acute|active] cardiopulmonary [abnormality|process|disease|findings].",
    "[Normal chest|Normal chest radiograph|Unremarkable chest radiograph|Negative chest].",
    "No [radiographic |]evidence of acute [cardiopulmonary|intrathoracic] [disease|process|abnormality].",
)

SMALL_TO_LARGE = {
    "size": (("mild", "minimal"), ("moderate",), ("severe", "marked")),
    "sized": (("mildly", "slightly"), ("moderately",), ("markedly", "severely")),
    "amount": (("small", "tiny"), ("moderate", "moderate-sized"), ("large",)),
    "density": (("mild", "patchy"), ("moderate",), ("dense", "extensive")),
    "displaced": (("nondisplaced",), ("minimally displaced",), ("displaced",)),
}
"""Slot -> words for the lower, middle and upper third of a finding's amount."""
ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
