#!/bin/sh
# Slurm and munge for the test of sweeps on a cluster, from Debian's packages. Does nothing where they are present.
# Nothing is started or configured: the test starts daemons of its own in a temporary folder.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
if command -v slurmctld >/dev/null && command -v slurmd >/dev/null && command -v munged >/dev/null; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Slurm for the test of sweeps on a cluster (100 MB, a few minutes)"
    # The packages would start daemons; a chroot's policy file keeps them from it.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    if apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            slurmctld slurmd slurm-client munge >/dev/null; then
        exit 0
    fi
    echo "Slurm could not be installed from Debian's packages; see the lines above." >&2
else
    echo "No Slurm here: its test will be skipped. To run it: sudo apt-get install slurmctld slurmd slurm-client munge" >&2
fi
# Only continuous integration insists.
[ "${CI:-}" = true ] && exit 1
exit 0
