"""Made-up audio-visual clips, as real MP4 files, of which it is known whether the sound belongs to the picture.

Ten kinds of event make a picture and a sound:

==========  ==============================================  ====================================================
kind        picture                                         sound
==========  ==============================================  ====================================================
bounce      a ball falls and springs back from a floor      a short damped click at each contact
zoom        a disc grows, again and again                   a tone that rises by one to two octaves meanwhile
flash       the whole picture brightens, at odd times       a burst of noise that dies away
flicker     a patch's brightness swings 2 to 5 times a s    a chord of harmonics, its loudness swings alike
pendulum    a bob swings from side to side                  noise in a band, loud where the bob is fast
colours     the tint of everything changes, step by step    another triad with each tint
slide       a square wanders up and down                    a tone whose pitch follows its height
spin        a bar turns, faster and slower                  a buzz whose pitch follows its speed
rings       rings spread from a point                       a bell with each ring
rain        drops appear at random places                   a crackle with each drop
==========  ==============================================  ====================================================

Within a kind everything is drawn anew for each clip: rate and phase of its events, pitch, decay, size, colour and
place. Picture and sound of one clip share the times and the course of their events, and nothing else.

To the picture are added a background that has nothing to do with the kind, up to three objects that move without a
sound, a camera that drifts and shakes, exposure, and noise of each pixel. To the sound are added noise of a random
colour (8 to 25 dB below), in a third of the clips a hum, in a third some clicks or a tone of something unseen,
a microphone's tilt, and a level between -24 and -3 dB of full scale.

A clip with a foreign sound has the sound of another clip, of another kind: all of it, its noise too. Its picture
and its sound alone are as good as any others. Two ways of dealing: ``clips`` (a random half of all clips) and
``kinds`` (all clips of half of the kinds, whose sounds are dealt among them: the original's experiment).

All follows from one seed, by numpy's PCG64, and x264 on one thread. The generator was written before any feature
was tuned with its clips; ``VERSION`` would tell another one.
"""

VERSION = 1
