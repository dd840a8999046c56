"""Public lists: each preset on rows of the true shape, made up here, and what each says of where it is from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avclips.core.settings import Columns, Settings
from avclips.lists.columns import clip_length
from avclips.lists.presets import PRESETS, listed
from tests.support.list_of import ID, OTHER, complaint, listing, metas, times
from tests.support.script import ROOT

A, B = ID, OTHER
URL = "https://www.youtube.com/watch?v="
AUDIOCAPS = f"audiocap_id,youtube_id,start_time,caption\n1,{A},20,A dog\n2,{A},20,The dog\n3,{B},0,A cat\n"
OF_AUDIOCAPS = (
    [(f"{A}_20_30", A, 20.0, 30.0), (f"{B}_0_10", B, 0.0, 10.0)],
    [{"audiocap_id": ["1", "2"], "caption": "A dog", "captions": ["A dog", "The dog"]},
     {"audiocap_id": ["3"], "caption": "A cat"}],
)  # fmt: skip
TRAILER = {"video_id": A, "video_path": f"group/{A}.mp4", "video_duration": 734.56, "video_fps": 25.0,
           "clip_id": f"{A}_0000090", "clip_duration": 6.0, "clip_start_end_idx": [11375, 11525],
           "imaging_quality": 37.5, "caption": "x"}  # fmt: skip
MOMENT = {"qid": 7, "query": "a girl", "duration": 150, "vid": f"{A}_60.0_210.0", "relevant_clip_ids": [1],
          "saliency_scores": [[1, 1, 2]], "relevant_windows": [[2, 4]]}  # fmt: skip
PANDA = (
    f"videoID,url,timestamp,caption,matching_score\n{A},{URL}{A},\"[['0:00:13.280', '0:00:20.120'], "
    '[\'0:01:00.000\', \'0:01:04.500\']]","[\'It is a dog.\', ""It\'s a cat, isn\'t it?""]","[0.4375, 0.5]"\n'
)

# By preset: the file's name, its content, the clips and what is kept of them.
LISTS: dict[str, tuple[str, Any, list[Any], list[Any]]] = {
    "acav100m": ("a.csv", f"{A},69.5\n{B},7\n", [(f"{A}_69.5_79.5", A, 69.5, 79.5), (f"{B}_7_17", B, 7.0, 17.0)],
        [{}, {}]),
    "activitynet": ("a.json", {f"v_{A}": {"duration": 55.5, "timestamps": [[0.25, 55.5], [13, 54]],
        "sentences": ["one", "two"]}}, [(f"{A}_0.25_55.5", A, 0.25, 55.5), (f"{A}_13_54", A, 13.0, 54.0)],
        [{"caption": "one"}, {"caption": "two"}]),
    "audiocaps": ("a.csv", AUDIOCAPS, *OF_AUDIOCAPS),
    "audiocaps2": ("a.csv", AUDIOCAPS, *OF_AUDIOCAPS),
    "audioset_strong": ("a.tsv", "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\n"
        f"{A}_30000\t0.5\t2.25\t/m/09x0r\n{A}_30000\t3\t4\t/m/05zppz\n{B}_0\t0\t10\t/m/09x0r\n",
        [(f"{A}_30000", A, 30.0, 40.0), (f"{B}_0", B, 0.0, 10.0)],
        [{"start_time_seconds": ["0.5", "3"], "end_time_seconds": ["2.25", "4"],
          "label": ["/m/09x0r", "/m/05zppz"]},
         {"start_time_seconds": ["0"], "end_time_seconds": ["10"], "label": ["/m/09x0r"]}]),
    "avspeech": ("a.csv", f"{A},282.5823,285.5853,0.371875,0.425\n",
        [(f"{A}_282.5823_285.5853", A, 282.5823, 285.5853)],
        [{"x": "0.371875", "y": "0.425"}]),
    "kinetics": ("a.csv", f"label,youtube_id,time_start,time_end,split\nabseiling,{A},20,30,train\n",
        [(f"{A}_20_30", A, 20.0, 30.0)], [{"label": "abseiling", "split": "train"}]),
    "kinetics_sounds": ("a.txt", f"{A}_2,10,23\n{B}_1037,7,14\n",
        [(f"{A}_2", A, 2.0, 12.0), (f"{B}_1037", B, 1037.0, 1044.0)], [{"class": "23"}, {"class": "14"}]),
    "lfav": ("a.csv", "filename\tonset\toffset\tevent_labels\n"
        f"{A}\t0\t135\tcar\n{A}\t2\t12\tspeech\n{A}\t2\t12\tdog\n",
        [(f"{A}_0_135", A, 0.0, 135.0), (f"{A}_2_12", A, 2.0, 12.0)],
        [{"event_labels": ["car"]}, {"event_labels": ["speech", "dog"]}]),
    "llp": ("a.csv", f"filename\tevent_labels\n{A}_20_30\tSpeech,Dog\n{B}_101.8_111.8\tBanjo\n",
        [(f"{A}_20_30", A, 20.0, 30.0), (f"{B}_101.8_111.8", B, 101.8, 111.8)],
        [{"event_labels": "Speech,Dog"}, {"event_labels": "Banjo"}]),
    "mmtrail": ("a.json", [TRAILER], [(f"{A}_0000090", A, 455.0, 461.0)],
        [{"imaging_quality": 37.5, "caption": "x"}]),
    "music21": ("a.json", {"version": 2.0, "videos": {"bagpipe": [A], "flute": [B]}},
        [(A, A, 0.0, None), (B, B, 0.0, None)], [{"class": "bagpipe"}, {"class": "flute"}]),
    "musiccaps": ("a.csv", "ytid,start_s,end_s,audioset_positive_labels,aspect_list,caption,author_id,"
        "is_balanced_subset,is_audioset_eval\n"
        f"{A},30,40,\"/m/1,/m/2\",\"['low', 'sad']\",A song,4,False,True\n", [(f"{A}_30_40", A, 30.0, 40.0)],
        [{"caption": "A song", "audioset_positive_labels": "/m/1,/m/2", "aspect_list": "['low', 'sad']",
          "author_id": "4", "is_balanced_subset": "False", "is_audioset_eval": "True"}]),
    "panda70m": ("a.csv", PANDA, [(f"{A}_13.28_20.12", A, 13.28, 20.12), (f"{A}_60_64.5", A, 60.0, 64.5)],
        [{"caption": "It is a dog.", "matching_score": 0.4375},
         {"caption": "It's a cat, isn't it?", "matching_score": 0.5}]),
    "qvhighlights": ("a.jsonl", [MOMENT, MOMENT | {"qid": 8, "query": "a boy"}],
        [(f"{A}_60.0_210.0", A, 60.0, 210.0)],
        [{"caption": "a girl", "captions": ["a girl", "a boy"], "qid": [7, 8], "relevant_windows": [[2, 4]],
          "relevant_clip_ids": [1], "saliency_scores": [[1, 1, 2]]}]),
    "solos": ("a.json", {"Bassoon": [A], "Cello": [B]}, [(A, A, 0.0, None), (B, B, 0.0, None)],
        [{"class": "Bassoon"}, {"class": "Cello"}]),
    "unav100": ("a.json", {"version": "unav100", "database": {A: {"duration": 47.5, "subset": "train",
        "annotations": [{"segment": [13.01, 15.75], "label": "dog", "label_id": 36}]}}},
        [(f"{A}_13.01_15.75", A, 13.01, 15.75)],
        [{"label": "dog", "label_id": 36, "subset": "train"}]),
    "vatex": ("a.json", [{"videoID": f"{A}_000055_000065", "enCap": ["a", "b"], "chCap": ["c"]}],
        [(f"{A}_000055_000065", A, 55.0, 65.0)], [{"enCap": ["a", "b"], "chCap": ["c"]}]),
    "vggsound": ("a.csv", f'{A},1,people marching,test\n{B},30,"speech, woman",train\n',
        [(f"{A}_1_11", A, 1.0, 11.0), (f"{B}_30_40", B, 30.0, 40.0)],
        [{"label": "people marching", "split": "test"}, {"label": "speech, woman", "split": "train"}]),
    "vggsounder": ("a.csv", "video_id,label,modality,background_music,static_image,voice_over\n"
        f"{A}_000001,dog,A,True,False,False\n{A}_000001,cat,AV,True,False,False\n",
        [(f"{A}_000001", A, 1.0, 11.0)],
        [{"label": ["dog", "cat"], "modality": ["A", "AV"], "background_music": "True", "static_image": "False",
          "voice_over": "False"}]),
    "vggss": ("a.json", [{"file": f"{A}_000032", "class": "elk", "bbox": [[0.25, 0.25, 0.5, 0.75]]}],
        [(f"{A}_000032", A, 32.0, 42.0)], [{"class": "elk", "bbox": [[0.25, 0.25, 0.5, 0.75]]}]),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_a_preset(tmp_path: Path, name: str) -> None:
    file, content, clips, said = LISTS[name]
    found = listing(tmp_path, content, file, preset=name)
    assert (times(found), metas(found), found.skipped) == (clips, said, [])


@pytest.mark.parametrize("header", ["", "Category&VideoID&Quality&StartTime&EndTime\n"])
def test_ave_does_not_say_where_its_clips_lie(tmp_path: Path, header: str) -> None:
    content = f"{header}Church bell&{A}&good&0&10\nDog&{B}&good&6&8\n"
    message, hint = complaint(tmp_path, content, "Annotations.txt", preset="ave")
    assert "not where the clips lie in their videos" in message and "download_audioset.py" in hint
    found = listing(tmp_path, content, "Annotations.txt", preset="ave", columns=Columns(start=""))
    assert times(found) == [(A, A, 0.0, None), (B, B, 0.0, None)]
    assert metas(found)[1] == {"Category": "Dog", "Quality": "good", "StartTime": "6", "EndTime": "8"}


def test_every_preset_is_tried_here() -> None:
    assert set(PRESETS) == {*LISTS, "ave"}


@pytest.mark.parametrize("name", PRESETS)
def test_where_a_preset_is_from(name: str) -> None:
    preset = PRESETS[name]
    assert preset.title and preset.source.startswith("https://") and preset.version and preset.citation
    assert preset.columns and all(columns.url for columns in preset.columns)
    assert preset.unit in ("s", "ms", "us", "frames")
    about = next(each for each in listed().split("\n\n") for each in [each] if f"{name}: {preset.title}" in each)
    assert preset.source in about and preset.citation in about


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (AUDIOCAPS, "is it AudioCaps 1.0, 10 s each? --preset audiocaps; else name the column with --end-col"),
        (f"{A},1,people marching,test\n{B},30,dog,train\n",
            "is it VGG-Sound, 10 s each? --preset vggsound; else name the column with --end-col"),
        # Anybody's.
        (f"{A},1,people marching,a\n{B},30,dog,b\n", "name the column with --end-col"),
        (f"youtube_id,start_time\n{A},20\n", "name the column with --end-col"),
    ],
)  # fmt: skip
def test_a_public_list_of_starts_alone_is_known(tmp_path: Path, content: str, advice: str) -> None:
    """What has to be asked names the preset that answers it."""
    message, hint = complaint(tmp_path, content)
    assert message.endswith("not where it ends") and hint.startswith(advice)


def test_a_public_list_whose_times_have_to_be_asked_about_is_known(tmp_path: Path) -> None:
    _, hint = complaint(tmp_path, [TRAILER], "a.json")
    assert hint.startswith("is it MMTrail? --preset mmtrail; else name it with --clip-col")


@pytest.mark.parametrize("header", ["", "Category&VideoID&Quality&StartTime&EndTime\n"])
def test_aves_times_are_not_those_of_the_video(tmp_path: Path, header: str) -> None:
    """The first message has the one command that does something."""
    content = f"{header}Church bell&{A}&good&0&10\nDog&{B}&good&6&8\nDog&{A}&good&0&10\n"
    message, hint = complaint(tmp_path, content, "Annotations.txt")
    assert "count from the video, or from a ten-second clip" in message
    assert hint.endswith('(AudioSet\'s lists do): whole videos, by --preset ave --start-col ""')
    found = listing(tmp_path, content, "Annotations.txt", preset="ave", columns=Columns(start=""))
    assert [clip.video for clip in found.clips] == [A, B]
    start, end = ("StartTime", "EndTime") if header else ("4", "5")
    asked = Columns(start=start, end=end)
    assert times(listing(tmp_path, content, "Annotations.txt", columns=asked))[1] == (f"{B}_6_8", B, 6.0, 8.0)


def test_what_a_preset_does_not_know_is_said_once(tmp_path: Path) -> None:
    content = f"label,youtube_id,time_start,time_end,split,views\nx,{A},20,30,train,7\ny,{B},1,2,val,8\n"
    found = listing(tmp_path, content, preset="kinetics")
    assert [line for line in found.remarks if "preset" in line] == [
        "columns that --preset kinetics does not know, and leaves: 'views'"
    ]
    found = listing(tmp_path, content, preset="kinetics", columns=Columns(keep=("views",)))
    assert not any("preset" in line for line in found.remarks)


@pytest.mark.parametrize("name", LISTS)
def test_of_its_own_list_a_preset_knows_every_column(tmp_path: Path, name: str) -> None:
    file, content, _, _ = LISTS[name]
    remarks = listing(tmp_path, content, file, preset=name).remarks
    assert not any("does not know" in line for line in remarks)


def test_a_list_that_a_preset_knows_is_told(tmp_path: Path) -> None:
    told = "it has all columns of MusicCaps: --preset musiccaps takes what is known of that list"
    file, content, _, _ = LISTS["musiccaps"]
    assert told in listing(tmp_path, content, file).remarks
    for chosen in ({"preset": "musiccaps"}, {"columns": Columns(keep=("author_id",))}):
        assert not any("MusicCaps" in line for line in listing(tmp_path, content, file, **chosen).remarks)


def test_lists_of_the_same_columns_are_told_apart(tmp_path: Path) -> None:
    """LFAV's cells are ids, LLP's whole clips."""
    lines = [f"{each}\t0\t4\tdog\n" for each in (f"{A}_20_30", f"{B}_0_10")]
    found = listing(tmp_path, "filename\tonset\toffset\tevent_labels\n" + "".join(lines))
    assert [line for line in found.remarks if "preset" in line] == [
        "it has all columns of LLP: --preset llp takes what is known of that list"
    ]
    file, content, _, _ = LISTS["lfav"]
    assert not any("preset" in line for line in listing(tmp_path, content, file).remarks)


def test_where_no_row_fits_the_preset_is_doubted(tmp_path: Path) -> None:
    message, hint = complaint(tmp_path, f"video_id,label\n{A},dog\n{B},cat\n", preset="vggsounder")
    assert "is no clip such as {id}_{start}" in message
    assert hint.startswith("is it the list of VGGSounder (--preset vggsounder)? columns: clip from 'video_id'")


def test_the_length_of_a_clip_gives_way_to_what_is_asked() -> None:
    assert clip_length(Settings(Path("x"), preset="audiocaps")) == 10.0
    assert clip_length(Settings(Path("x"), preset="audiocaps", clip_length=3.0)) == 3.0


def test_columns_that_a_copy_lacks(tmp_path: Path) -> None:
    content = f"youtube_id,time_start,time_end\n{A},20,30\n"
    assert metas(listing(tmp_path, content, preset="kinetics")) == [{}]
    message, hint = complaint(tmp_path, f"youtube_id,start,end\n{A},20,30\n", preset="kinetics")
    assert message.startswith("list.csv has no column 'time_start' (--preset kinetics)") and "start" in hint


def test_the_documents_count_them() -> None:
    for name in ("README.md", "docs/lists.md"):
        assert f"{len(PRESETS)} public lists" in (ROOT / name).read_text(encoding="utf-8"), name
