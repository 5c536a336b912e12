"""The choice of the target, on made-up voices: by sound first, by captions only as far as they go with it."""

import numpy as np
import pytest

from schemas.turn import Cluster, Identity
from transforms.identity import EpisodeVoices, TargetChoice, choose_targets

DIMENSION = 256
HOST = 0
GUESTS = (1, 2, 3, 4)
Spoken = tuple[int, float]


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def make_voices(count: int) -> list[np.ndarray]:
    """Points as far from one another as readers are for GE2E: cosines of about 0.6."""
    rng = np.random.default_rng(0)
    common = unit(np.abs(rng.normal(size=DIMENSION)))
    return [unit(common + 0.75 * unit(rng.normal(size=DIMENSION))) for _ in range(count)]


VOICES = make_voices(6)
ENROLMENT = Identity("", tuple(VOICES[HOST].tolist()), "enrolment: made up")


def episode(
    name: str, spoken: list[Spoken], labels: list[tuple[int, str, float]] | None = None, shift: np.ndarray | None = None
) -> EpisodeVoices:
    """Clusters S0, S1, ... of voices (number, seconds); labels (cluster, label, seconds); `shift` is a room."""
    rng = np.random.default_rng(sum(map(ord, name)))

    def heard(voice: int) -> tuple[float, ...]:
        moved = VOICES[voice] + 0.15 * unit(rng.normal(size=DIMENSION)) + (0.0 if shift is None else shift)
        return tuple(unit(moved).tolist())

    clusters = tuple(Cluster(f"S{at}", seconds, heard(voice)) for at, (voice, seconds) in enumerate(spoken))
    return EpisodeVoices(name, clusters, tuple((f"S{at}", label, seconds) for at, label, seconds in labels or ()))


def with_guests(labels: list[tuple[int, str, float]] | None = None) -> list[EpisodeVoices]:
    """Four episodes of the host (S0) and a guest of the day (S1)."""
    return [episode(f"e{guest}", [(HOST, 100.0), (guest, 80.0)], labels) for guest in GUESTS]


def clusters_of(choice: TargetChoice) -> set[tuple[str, ...]]:
    return set(choice.clusters.values())


def test_voices_are_apart_as_readers_are() -> None:
    cosines = [VOICES[a] @ VOICES[b] for a in range(6) for b in range(a)]
    assert min(cosines) > 0.5
    assert max(cosines) < 0.75


def test_the_enrolled_voice_is_chosen_whether_it_speaks_most_or_not() -> None:
    episodes = [episode("a", [(1, 300.0), (HOST, 30.0)]), episode("b", [(HOST, 100.0), (2, 90.0)])]
    choice = choose_targets(episodes, ENROLMENT, "Host")
    assert choice.clusters == {"a": ("S1",), "b": ("S0",)}
    assert all(similarity > 0.9 for found in choice.similarities.values() for similarity in found)


def test_labels_that_go_with_the_voice_are_trusted() -> None:
    choice = choose_targets(with_guests([(0, "Host", 90.0), (1, "Guest", 70.0)]), ENROLMENT, "Host")
    assert choice.trusted_label == "Host"
    assert clusters_of(choice) == {("S0",)}


def test_labels_swapped_in_every_episode_choose_nobody_else() -> None:
    choice = choose_targets(with_guests([(0, "Guest", 90.0), (1, "Host", 70.0)]), ENROLMENT, "Host")
    assert clusters_of(choice) == {("S0",)}
    assert choice.trusted_label != "Host"


def test_swapped_labels_in_one_episode_do_not_move_its_target() -> None:
    right = with_guests([(0, "Host", 90.0), (1, "Guest", 70.0)])
    wrong = episode("wrong", [(HOST, 100.0), (5, 80.0)], [(0, "Guest", 90.0), (1, "Host", 70.0)])
    choice = choose_targets([*right, wrong], ENROLMENT, "Host")
    assert "S1" not in choice.clusters["wrong"]


def test_a_target_that_is_absent_is_not_made_of_a_voice_captioned_as_host() -> None:
    absent = episode("absent", [(5, 100.0), (4, 50.0)], [(0, "Host", 90.0), (1, "Guest", 40.0)])
    choice = choose_targets([*with_guests([(0, "Host", 90.0), (1, "Guest", 70.0)]), absent], ENROLMENT, "Host")
    assert choice.trusted_label == "Host", "captions were right elsewhere, and still prove nothing here"
    assert choice.clusters["absent"] == ()
    assert choice.similarities["absent"] == ()


def test_auto_is_who_speaks_most_over_all_episodes() -> None:
    # In each single episode the guest of the day speaks longer.
    episodes = [episode(f"e{guest}", [(guest, 100.0), (HOST, 80.0)]) for guest in GUESTS]
    choice = choose_targets(episodes, None, "Host")
    assert clusters_of(choice) == {("S1",)}
    assert choice.identity.source.startswith("auto: who speaks most")


def test_auto_where_nobody_speaks_chooses_nobody() -> None:
    choice = choose_targets([EpisodeVoices("silent", ())], None, "Host")
    assert choice.clusters == {"silent": ()}
    assert choice.identity.source == "auto: nobody speaks"


def test_one_identity_holds_across_episodes() -> None:
    """A room moves all voices; what is sure in dry episodes teaches nothing wrong, and the identity is one."""
    rng = np.random.default_rng(7)
    room = 0.35 * unit(rng.normal(size=DIMENSION))
    roomy = episode("roomy", [(HOST, 100.0), (5, 80.0)], shift=room)
    choice = choose_targets([*with_guests(), roomy], ENROLMENT, "Host")
    assert clusters_of(choice) == {("S0",)}
    assert choice.identity.source == "enrolment: made up; sure in 5 of 5 episodes"
    assert np.linalg.norm(choice.identity.embedding) == pytest.approx(1.0, abs=1e-4)
    assert np.dot(choice.identity.embedding, VOICES[HOST]) > 0.95


def test_a_voice_in_two_clusters_is_chosen_whole() -> None:
    choice = choose_targets([episode("a", [(HOST, 100.0), (1, 80.0), (HOST, 40.0)])], ENROLMENT, "Host")
    assert set(choice.clusters["a"]) == {"S0", "S2"}


def test_the_order_of_episodes_changes_nothing() -> None:
    episodes = with_guests([(0, "Host", 90.0), (1, "Guest", 70.0)])
    forth, back = (choose_targets(some, ENROLMENT, "Host") for some in (episodes, episodes[::-1]))
    assert forth.identity == back.identity
    assert forth.clusters == back.clusters
    assert forth.similarities == back.similarities
    assert choose_targets(episodes, None, "Host").identity == choose_targets(episodes[::-1], None, "Host").identity
