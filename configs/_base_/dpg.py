# How DPG moves the sides of a box: left, top, right, bottom, as shares of its width or height.
# These are the published constants, of a detector of bodies; tools/fit_dpg.py writes such a file for a face detector.
dpg_sides = dict(side_mean=(-0.0142, 0.0043, 0.0154, -0.0013), side_std=(0.1158, 0.068, 0.1337, 0.0711))
