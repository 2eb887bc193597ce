"""Bodies of the episodes of one batch: those that no record points to in the end are taken back."""

from collections.abc import Sequence
from datetime import datetime

from agent_memory.domain.episode import Episode
from agent_memory.domain.ports import EpisodeStore
from agent_memory.domain.uploads import MAX_UPLOAD_BYTES
from agent_memory.errors import AgentMemoryError, NoRoomInRecord, RateLimited, StoreUnavailable
from agent_memory.service.episodic import folder_of
from agent_memory.service.large_values import Kept, LargeValues


class EpisodeBodies:
    """By the ids of the episodes. `write` names a batch that makes the same episodes when it is sent again."""

    def __init__(self, store: EpisodeStore, values: LargeValues, write: str | None) -> None:
        self._store = store
        self._values = values
        self._write = write
        self._kept: dict[str, Kept] = {}

    def adopt(self, episode: Episode, upload_id: str, cursor_key: bytes) -> None:
        """Let the episode own what was uploaded.

        Raises:
            NotFound, Conflict, RateLimited: see `LargeValues.adopt`.
            PayloadTooLarge: together with those before it, over 100 MB: no request can read more through.
        """
        room = MAX_UPLOAD_BYTES - sum(kept.body.size for kept in self._kept.values())
        folder = folder_of(self._store, episode)()
        self._kept[episode.id] = self._values.adopt(folder, episode.tenant_id, upload_id, cursor_key, room, self._write)

    def append(self, episodes: Sequence[Episode], now: datetime) -> list[AgentMemoryError | None]:
        """Write all episodes, bodies first; as `EpisodeStore.append`, but that all content finds room."""
        try:
            failures = self._store.append([self._pointing(each) for each in episodes], now)
        except RateLimited:
            for kept in self._kept.values():
                self._values.withdraw(kept)
            raise
        cramped = [
            place
            for place, failure in enumerate(failures)
            if isinstance(failure, NoRoomInRecord) and episodes[place].id not in self._kept
        ]
        for place in cramped:
            failures[place] = self._append_large(episodes[place], now)
        for episode, failure in zip(episodes, failures, strict=True):
            if failure is not None and not isinstance(failure, StoreUnavailable) and episode.id in self._kept:
                self._values.withdraw(self._kept.pop(episode.id))
        return failures

    def answered(self, episode: Episode) -> Episode:
        """The episode as the answer shows it."""
        return self._values.answered(self._pointing(episode), episode.content)

    def _append_large(self, episode: Episode, now: datetime) -> AgentMemoryError | None:
        """By itself: others of the batch stand already, whatever comes of this one."""
        try:
            self._kept[episode.id] = self._values.keep(folder_of(self._store, episode)(), episode.content, self._write)
            return self._store.append([self._pointing(episode)], now)[0]
        except AgentMemoryError as failure:
            return failure

    def _pointing(self, episode: Episode) -> Episode:
        kept = self._kept.get(episode.id)
        return episode if kept is None else episode.holding(None, kept.body)
