"""Public lists whose columns are known: what each is, where it comes from, and what its cells mean.

Data, not code: an entry says the list's paper, source and version, its columns and the units of its times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..core.settings import Columns


@dataclass(frozen=True)
class Preset:
    """One published list.

    ``title``, ``source`` (where its files are), ``version`` (of which these columns are), ``citation``: where it
    is from. ``columns``: the first of these whose columns for video and times are there; what they keep, and a
    caption, is taken where it is there. ``clip_length``: seconds of a clip where the list does not say;
    ``cell_format``: of a cell that is a whole clip; ``unit`` of its times; ``delimiter`` of its lines; ``whole``:
    whole videos are meant; ``names``: what columns without names are kept as; ``cells``: the words that some of
    these hold, by which the list is known; ``others``: columns that it has and that nobody needs; ``asks``: what
    the list does not say, and what to do about it.
    """

    title: str
    source: str
    version: str
    citation: str
    columns: tuple[Columns, ...]
    clip_length: float | None = None
    cell_format: str | None = None
    unit: str = "s"
    delimiter: str | None = None
    whole: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    asks: tuple[str, str] | None = None


_VGG = "https://github.com/hche11/VGGSound"
_VGG_PAPER = "Chen et al., VGGSound: A Large-scale Audio-Visual Dataset, ICASSP 2020"
_AUDIOCAPS = Columns(url="youtube_id", start="start_time", caption="caption", keep=("audiocap_id",))
_AUDIOCAPS_PAPER = "Kim et al., AudioCaps: Generating Captions for Audios in The Wild, NAACL 2019"

PRESETS: Mapping[str, Preset] = {
    "acav100m": Preset(
        "ACAV100M",
        "https://acav100m.github.io (ncentroids-500-subset_size-*.csv)",
        "2021",
        "Lee et al., ACAV100M: Automatic Curation of Large-Scale Datasets for Audio-Visual Video Representation "
        "Learning, ICCV 2021",
        (Columns(url="1", start="2"),),
        clip_length=10.0,
    ),
    "activitynet": Preset(
        "ActivityNet Captions",
        "https://cs.stanford.edu/people/ranjaykrishna/densevid (train.json, val_1.json, val_2.json)",
        "2017",
        "Krishna et al., Dense-Captioning Events in Videos, ICCV 2017",
        (Columns(url="video", clip="timestamps", caption="sentences"),),
        cell_format="v_{id}",
        others=("duration",),
    ),
    "audiocaps": Preset(
        "AudioCaps 1.0",
        "https://github.com/cdjkim/audiocaps (dataset/*.csv)",
        "1.0",
        _AUDIOCAPS_PAPER,
        (_AUDIOCAPS,),
        clip_length=10.0,
    ),
    "audiocaps2": Preset(
        "AudioCaps 2.0",
        "https://github.com/cdjkim/audiocaps (dataset2.0/*.csv)",
        "2.0",
        _AUDIOCAPS_PAPER,
        (_AUDIOCAPS,),
        clip_length=10.0,
    ),
    "audioset_strong": Preset(
        "AudioSet, temporally strong labels",
        "https://research.google.com/audioset/download_strong.html (audioset_*_strong.tsv)",
        "2021",
        "Hershey et al., The Benefit of Temporally-Strong Labels in Audio Event Classification, ICASSP 2021",
        # The times of the events count from the clip.
        (Columns(url="segment_id", keep=("start_time_seconds", "end_time_seconds", "label", "present")),),
        clip_length=10.0,
        cell_format="{id}_{start}",
        unit="ms",
    ),
    "ave": Preset(
        "AVE",
        "https://github.com/YapengTian/AVE-ECCV18 (data/Annotations.txt)",
        "2018",
        "Tian et al., Audio-Visual Event Localization in Unconstrained Videos, ECCV 2018",
        (
            Columns(url="VideoID", keep=("Category", "Quality", "StartTime", "EndTime")),
            Columns(url="2", keep=("1", "3", "4", "5")),
        ),
        delimiter="&",
        whole=True,
        names={"1": "Category", "3": "Quality", "4": "StartTime", "5": "EndTime"},
        asks=(
            "AVE says which seconds of ten-second clips hold an event, not where the clips lie in their videos",
            "that stands in AudioSet's lists: download_audioset.py fetches them; or whole videos: --preset ave "
            '--start-col ""',
        ),
    ),
    "avspeech": Preset(
        "AVSpeech",
        "https://looking-to-listen.github.io/avspeech/download.html (avspeech_{train,test}.csv)",
        "2018",
        "Ephrat et al., Looking to Listen at the Cocktail Party, SIGGRAPH 2018",
        # Where the speaker's face is, in parts of the picture.
        (Columns(url="1", start="2", end="3", keep=("4", "5")),),
        names={"4": "x", "5": "y"},
    ),
    "kinetics": Preset(
        "Kinetics-400, 600, 700",
        "https://github.com/cvdfoundation/kinetics-dataset",
        "2017 to 2020",
        "Kay et al., The Kinetics Human Action Video Dataset, arXiv:1705.06950",
        (Columns(url="youtube_id", start="time_start", end="time_end", keep=("label", "split", "is_cc")),),
    ),
    "kinetics_sounds": Preset(
        "Kinetics-Sounds",
        "https://github.com/GeWu-Lab/OGM-GE_CVPR2022 (data/KineticSound/*.txt)",
        "the lists of OGM-GE, 2022",
        "Arandjelovic and Zisserman, Look, Listen and Learn, ICCV 2017",
        # ID_START, seconds, number of the class.
        (Columns(url="1", duration="2", keep=("3",)),),
        names={"3": "class"},
        cell_format="{id}_{start}",
        delimiter=",",
    ),
    "lfav": Preset(
        "LFAV",
        "https://github.com/GeWu-Lab/LFAV (LFAV_dataset/*/*_audio.csv, *_visual.csv)",
        "2023",
        "Hou et al., Towards Long Form Audio-visual Video Understanding, ACM TOMM 2024",
        (Columns(url="filename", start="onset", end="offset", keep=("event_labels",)),),
        delimiter="\t",
    ),
    "llp": Preset(
        "LLP",
        "https://github.com/YapengTian/AVVP-ECCV20 (data/*.csv)",
        "2020",
        "Tian et al., Unified Multisensory Perception: Weakly-Supervised Audio-Visual Video Parsing, ECCV 2020",
        # onset and offset, of the lists that have them, count from the clip.
        (Columns(url="filename", keep=("onset", "offset", "event_labels")),),
        cell_format="{id}_{start}_{end}",
        delimiter="\t",
    ),
    "mmtrail": Preset(
        "MMTrail",
        "https://github.com/litwellchi/MMTrail (MMTrail2M_*.json)",
        "2024",
        "Chi et al., MMTrail: A Multimodal Trailer Video Dataset with Language and Music Descriptions, "
        "arXiv:2407.20962",
        # In frames: their difference by video_fps is clip_duration.
        (
            Columns(
                url="video_id",
                clip="clip_start_end_idx",
                fps="video_fps",
                id="clip_id",
                caption="caption",
                keep=("music_caption", "background", "imaging_quality"),
            ),
        ),
        unit="frames",
        others=("video_path", "video_duration", "clip_path", "clip_duration"),
    ),
    "music21": Preset(
        "MUSIC-21",
        "https://github.com/roudimit/MUSIC_dataset (MUSIC21_solo_videos.json)",
        "2.0",
        "Zhao et al., The Sound of Motions, ICCV 2019",
        (Columns(url="video", keep=("class",)),),
        whole=True,
    ),
    "musiccaps": Preset(
        "MusicCaps",
        "https://huggingface.co/datasets/google/MusicCaps (musiccaps-public.csv)",
        "2023",
        "Agostinelli et al., MusicLM: Generating Music From Text, arXiv:2301.11325",
        (
            Columns(
                url="ytid",
                start="start_s",
                end="end_s",
                caption="caption",
                keep=(
                    "audioset_positive_labels",
                    "aspect_list",
                    "author_id",
                    "is_balanced_subset",
                    "is_audioset_eval",
                ),
            ),
        ),
    ),
    "panda70m": Preset(
        "Panda-70M",
        "https://github.com/snap-research/Panda-70M",
        "2024",
        "Chen et al., Panda-70M: Captioning 70M Videos with Multiple Cross-Modality Teachers, CVPR 2024",
        (Columns(url="url", clip="timestamp", caption="caption", keep=("matching_score",)),),
        others=("videoID",),
    ),
    "qvhighlights": Preset(
        "QVHighlights",
        "https://github.com/jayleicn/moment_detr (data/highlight_*_release.jsonl)",
        "2021",
        "Lei et al., QVHighlights: Detecting Moments and Highlights in Videos via Natural Language Queries, "
        "NeurIPS 2021",
        # The windows, and the two-second pieces that are numbered, count from the clip.
        (
            # The length of the clip stands in its name.
            Columns(
                url="vid",
                caption="query",
                keep=("qid", "relevant_windows", "relevant_clip_ids", "saliency_scores"),
            ),
        ),
        cell_format="{id}_{start}_{end}",
        others=("duration",),
    ),
    "solos": Preset(
        "Solos",
        "https://github.com/JuanFMontesinos/Solos (Solos/json_files/solos_ids.json)",
        "2020",
        "Montesinos et al., Solos: A Dataset for Audio-Visual Music Analysis, MMSP 2020",
        (Columns(url="video", keep=("class",)),),
        whole=True,
    ),
    "unav100": Preset(
        "UnAV-100",
        "https://github.com/ttgeng233/UnAV (data/unav100_annotations.json)",
        "2023",
        "Geng et al., Dense-Localizing Audio-Visual Events in Untrimmed Videos, CVPR 2023",
        (Columns(url="video", clip="segment", keep=("label", "label_id", "subset")),),
        others=("duration",),
    ),
    "vatex": Preset(
        "VATEX",
        "https://eric-xw.github.io/vatex-website/download.html (vatex_*_v1.0.json)",
        "1.0, 1.1",
        "Wang et al., VATEX: A Large-Scale, High-Quality Multilingual Dataset for Video-and-Language Research, "
        "ICCV 2019",
        (Columns(url="videoID", keep=("enCap", "chCap")),),
        cell_format="{id}_{start}_{end}",
    ),
    "vggsound": Preset(
        "VGG-Sound",
        f"{_VGG} (data/vggsound.csv)",
        "2020",
        _VGG_PAPER,
        (Columns(url="1", start="2", keep=("3", "4")),),
        clip_length=10.0,
        names={"3": "label", "4": "split"},
        cells={"4": ("train", "test")},
    ),
    "vggsounder": Preset(
        "VGGSounder",
        "https://github.com/Bizilizi/vggsounder (data/vggsounder.csv)",
        "2025",
        "Zverev et al., VGGSounder: Audio-Visual Evaluations for Foundation Models, ICCV 2025",
        (Columns(url="video_id", keep=("label", "modality", "background_music", "static_image", "voice_over")),),
        clip_length=10.0,
        cell_format="{id}_{start}",
    ),
    "vggss": Preset(
        "VGG-SS",
        "https://github.com/hche11/Localizing-Visual-Sounds-the-Hard-Way (metadata/vggss.json)",
        "2021",
        "Chen et al., Localizing Visual Sounds the Hard Way, CVPR 2021",
        # The boxes are in parts of the picture at the clip's middle.
        (Columns(url="file", keep=("class", "bbox")),),
        clip_length=10.0,
        cell_format="{id}_{start}",
    ),
}


def listed() -> str:
    """All of them, for people: what --list-presets prints."""
    lines = []
    for name, preset in sorted(PRESETS.items()):
        lines += [f"{name}: {preset.title} ({preset.version})", f"  {preset.source}", f"  {preset.citation}"]
        lines += [f"  {each}" for each in _described(preset)]
    return "\n".join(lines) + "\n"


def _described(preset: Preset) -> list[str]:
    """The columns and units of a preset, a line for each way in which the list is handed on."""
    lines = []
    for columns in preset.columns:
        parts = [f"{role} {name!r}" for role in ("url", "start", "end", "duration", "clip", "fps", "id", "caption")
                 if (name := getattr(columns, role))]  # fmt: skip
        if preset.cell_format:
            parts.append(f"cells as {preset.cell_format}")
        if preset.unit != "s":
            parts.append(f"times in {preset.unit}")
        if preset.clip_length:
            parts.append(f"{preset.clip_length:g} s each")
        if preset.whole:
            parts.append("whole videos")
        if columns.keep:
            kept = [
                f"{each!r}{' as ' * (each in preset.names)}{preset.names.get(each, '')}" for each in columns.keep
            ]
            parts.append(f"keeps {', '.join(kept)}")
        lines.append("; ".join(parts))
    return [*lines, *(preset.asks or ())[:1]]
