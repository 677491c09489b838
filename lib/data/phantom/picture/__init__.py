"""The picture: rays through bodies and tubes, exposure and display."""
