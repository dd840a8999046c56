"""What a clip costs by this program and by the usual ways, side by side: ``make bench``.

    __main__    the command line; what is measured, in which order
    rounds      ways and settings, taken in turns: the samples
    ways        how each way is run by its users: commands (notebook and per_stream are two of them)
    trees       this tree, or another commit's
    pairs       two trees side by side: rows, ratios, what is worse (against: which rows)
    runs        what is ours alone: starts on large folders, a rate limit, engine and store (engine_alone)
    child       commands run to their end, and what they cost
    standin     the stand-in YouTube in a process of its own (serve), and its counts
    media       long videos out of one minute, and the bytes that must be read for a clip
    figures     samples -> medians with their spread
    targets     what is to be reached, and whether it is
    tables      results.md and the terminal
    chart       results.svg

Nothing goes online: it all runs against the stand-in of the tests on localhost.
"""
