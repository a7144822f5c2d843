import msgspec

from loadstone.record.noise import (
    FILE,
    NoiseProfile,
    find_profile,
    forget_profiles,
    save_profile,
    user_folder,
)


def a_profile(fingerprint="this", at="2026-11-24T10:00:00+00:00", **fields) -> NoiseProfile:
    usual = {
        "loadstone_version": "test",
        "tracks": 2,
        "pinned": True,
        "generations": 16,
        "generation_s": 2.5,
        "pairs": 3000,
        "request_s": 0.005,
        "pair_sd": 0.2,
        "start_sd": 0.004,
        "start_sd_low": 0.001,
        "start_sd_high": 0.008,
        "start_sd_moment": 0.0,
        "turnover_s": 1.0,
        "pair_overhead_s": 0.0006,
        "pace_explained": 0.25,
        "steal": 0.001,
        "others_busy": 0.0,
    }
    return NoiseProfile(fingerprint=fingerprint, measured_at=at, **{**usual, **fields})


def test_a_profile_is_found_again(tmp_path):
    path = save_profile(tmp_path / "state", a_profile())
    assert path == tmp_path / "state" / FILE
    assert find_profile([tmp_path / "state"], "this") == a_profile()
    assert a_profile().date == "2026-11-24"


def test_the_profile_of_another_machine_is_never_used(tmp_path):
    save_profile(tmp_path, a_profile("other"))
    assert find_profile([tmp_path], "this") is None


def test_machines_that_share_a_folder_keep_a_profile_each(tmp_path):
    for one in (a_profile("this"), a_profile("other"), a_profile("this", pair_sd=0.3)):
        save_profile(tmp_path, one)
    assert find_profile([tmp_path], "other") == a_profile("other")
    assert find_profile([tmp_path], "this").pair_sd == 0.3
    assert len(msgspec.json.decode((tmp_path / FILE).read_bytes())["profiles"]) == 2


def test_the_newest_of_several_folders_counts(tmp_path):
    save_profile(tmp_path / "project", a_profile(at="2026-11-22T10:00:00+00:00"))
    save_profile(tmp_path / "user", a_profile(at="2026-11-23T10:00:00+00:00", pair_sd=0.3))
    assert find_profile([tmp_path / "project", tmp_path / "user"], "this").pair_sd == 0.3


def test_a_damaged_or_older_file_is_no_profile_and_is_written_anew(tmp_path):
    for text in ("{", '{"version": 0, "profiles": []}', '{"version": 1, "profiles": [{}]}'):
        (tmp_path / FILE).write_text(text)
        assert find_profile([tmp_path], "this") is None
    save_profile(tmp_path, a_profile())
    assert find_profile([tmp_path], "this") == a_profile()


def test_profiles_can_be_forgotten(tmp_path):
    assert forget_profiles(tmp_path) == []
    path = save_profile(tmp_path, a_profile())
    assert forget_profiles(tmp_path, dry_run=True) == [path]
    assert path.exists()
    assert forget_profiles(tmp_path) == [path]
    assert not path.exists()


def test_outside_a_project_it_is_kept_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_folder() == tmp_path / "loadstone"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_folder() == tmp_path / ".cache" / "loadstone"
