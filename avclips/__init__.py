"""Clips of YouTube videos for research datasets, fetched by their byte ranges.

The house has floors, and an import only goes down (``tests/test_floors.py`` reads this map):

    15 start                                      the scripts' door: is everything installed?
    14 cli spark                                  a command line -> an exit code; the same from a program
    13 run                                        one download run, step by step
    12 cluster                                    packs on many machines
    11 task                                       one pack on one machine of many
    10 desks                                      who asks
    9  worker                                     one video's clips, from URL to published files
    8  local reading status verify                what of a clip is on this machine already; one video's second 0,
                                                  and the packets of its clips; how far a folder is, in words; a
                                                  look at all that is there
    7  drive finish layout_pieces pack_check packed progress trial watch
                                                  a dataset's own archives on Google Drive; packets -> a checked
                                                  and published clip; streams in pieces (HLS, DASH); a pack looked
                                                  into; packing beside fetching; how far a look, or a cluster, is;
                                                  which ffmpeg can do it
    6  cut engine kept layout_fragments layout_table
                                                  a clip out of its packets; many videos at once; what was made
                                                  here before; streams by an index of fragments, by a table
    6  options packs plan report sidecars         a command line -> settings; what goes into which pack; what there
                                                  is to do; what a user watches; what is kept beside a clip
    5  byte_reader datasets forecast layouts splice
                                                  what of a stream was read; each dataset; how long it takes; what
                                                  every layout of a stream answers; encoded frames and copied ones
                                                  as one track
    5  options_run pack_rows pack_stats packing store versions
                                                  the files of a pack; one data folder; the versions that are here
    4  claims encoding examine opening options_job pacer
                                                  who is at which pack; how ffmpeg is told; a look at what stands
                                                  there; any media file as packets; who may ask, and how often
    4  samples snapshot splice_plan steady        one clip of a pack; the JSON that people read; which frames stay
                                                  as they are; pictures at an even rate, of one size
    4  tables tracks youtube                      any list; what is written of a plan; yt-dlp
    3  cookies cutting dataset journal list_json list_parquet list_text
                                                  whose cookies; what a clip has of its source; what a dataset is;
                                                  the manifest; the rows of a list
    3  lock media needs remote shelf signals tries
                                                  who has a folder; ffmpeg; what has to be installed; object
                                                  stores; where a pace lies; how a run is stopped; whom a failure
                                                  is charged to
    2  archives heard hls java lines links list_files locks
                                                  what a user has already; what yt-dlp says on its way; a line of a
                                                  manifest; who holds a file
    2  begun logs measure memory moof pace progressive streams timeline webm
                                                  what a cut holds; what a folder was asked for; packets by what
                                                  containers say of them; the time; second 0
    2  clock                                      the time
    1  beacons config extras failures files formats h264 lanes
                                                  who answered before; options in a file; whole files; what foreign
                                                  words mean; which formats fit; what H.264 says of itself
    1  mp4 pack_layout parser presets silence sniff spans
                                                  tables of MP4; what packs have in common; how options are read;
                                                  public lists; no sound; what a file is
    1  ytdlp_args ytdlp_net                       yt-dlp's ways to the network
    0  bounds boxes captions clip csvs errors kinds mp4_writer mpegts reserved settings
                                                  what a request may cost; who lacks subtitles; the values that
                                                  travel between the rooms; what can go wrong; what files are made
                                                  of
    0  near packed_audio quantities shards sites subtitles tabular tested words
                                                  the nearest word; numbers with units; shares; the versions that
                                                  were tested; strangers' words

Only ``youtube``, ``cookies``, ``ytdlp_net``, ``ytdlp_args`` and ``sites`` know yt-dlp, only ``media`` starts a
child process, and ffmpeg never opens a URL; only ``cluster`` knows Spark, and only ``remote`` fsspec. Workers
never write the store's JSON; the store never touches the network.
"""
