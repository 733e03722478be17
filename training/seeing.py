"""Asks a question with its item's files, as far as the model can see."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from training.attachments import Part, can_be_shown, is_picture, parts_of
from training.completions import Completions
from training.pairs import Question
from training.replies import Reply
from workbench.problems import Problem

log = logging.getLogger(__name__)

# The status of a Problem that lies with what holds the files and not with one of them.
ELSEWHERE = 500


class Seeing:
    """Asks through a client, in one event loop. `vision` is `auto`, `yes` or `no`.

    With `auto` the first question with files goes alone; where the endpoint refuses its pictures, that question and all
    others of the run are asked by their words.
    """

    def __init__(self, client: Completions, vision: str) -> None:
        self._client = client
        self.shows = vision != "no"
        self._proven = vision == "yes"
        self._first = True
        self._known = asyncio.Event()
        # Files are in memory from here until their reply, so never those of a whole chunk.
        self._hands = asyncio.Semaphore(client.options.concurrency)

    async def reply(self, question: Question) -> Reply:
        """Return the reply with how many files were shown; a file that cannot be is the problem of its reply.

        CancelledError as the client's, for a question that had not been asked when its limit was stopped.
        """
        if not self.shows or not (question.files or question.missing):
            return await self._client.reply(question.messages)
        if self._proven:
            return await self._with_files(question)
        if self._first and not question.missing:
            self._first = False
            try:
                return await self._with_files(question)
            finally:
                self._known.set()
        if not self._first:
            await self._known.wait()
        return await (self._with_files(question) if self.shows else self._client.reply(question.messages))

    async def _with_files(self, question: Question) -> Reply:
        if question.missing:
            return Reply(problem=f"The item's file {question.missing[0]} is missing: put it there, and retry.")
        async with self._hands:
            if self._client.limit.stopped:
                raise asyncio.CancelledError  # before a file is read that nobody will look at
            try:
                parts = await asyncio.to_thread(parts_of, question.files)
            except Problem as problem:
                return Reply(problem=str(problem), is_outage=problem.status >= ELSEWHERE)
            reply = await self._client.reply(with_parts(question.messages, parts))
        if reply.refuses_parts and not self._proven:
            self._give_up(reply)
            return await self._client.reply(question.messages)
        self._proven = self._proven or (not reply.problem and any(map(is_picture, parts)))
        return replace(reply, files_shown=sum(map(can_be_shown, question.files)))

    def _give_up(self, reply: Reply) -> None:
        if self.shows:
            log.warning("The model cannot see, so items are asked without their files. %s", reply.problem)
        self.shows = False


def with_parts(messages: Sequence[Mapping[str, Any]], parts: Sequence[Part]) -> list[Mapping[str, Any]]:
    """Return the messages with the parts behind the question; as one text where there is no picture among them."""
    *before, question = messages
    asked: list[Part] = [{"type": "text", "text": question["content"]}, *parts]
    if any(map(is_picture, parts)):
        return [*before, {**question, "content": asked}]
    return [*before, {**question, "content": "\n\n".join(part["text"] for part in asked)}]
