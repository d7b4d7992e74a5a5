"""The few sentences that forms say themselves, in English and Korean. Labels and help texts are the codebook's."""

from __future__ import annotations

from collections.abc import Mapping

_PHRASES = {
    "en": {
        "intro": "? help   < back   Enter skips   Ctrl-C stops and writes nothing",
        "intro_keep": "Enter keeps what stands in [brackets]; - clears it",
        "required": "This answer is needed.",
        "choose": "Choose a number from 1 to {most}.",
        "whole": "Write a whole number.",
        "least": "The least is {bound}.",
        "most": "The most is {bound}.",
        "date": "Write a date as 2019, 2019-03 or 2019-03-14.",
        "unreadable": "That was not readable text. Type it again.",
        "lines": "Several lines; an empty line ends them.",
        "first": "This is the first question.",
        "no_help": "There is no more help for this question.",
        "kept": "It goes into the {layer} layer.",
        "identity": "identity",
        "case": "case",
        "tally": "tally",
        "review": "Please check:",
        "save": "Save this?  y yes   1-{most} change   n no : ",
        "save_choose": "Type y, n or a number from 1 to {most}.",
        "refused": "Not saved yet. These answers do not fit:",
        "nothing": "(no answers)",
        "which_case": "Case (pseudonym): ",
        "reason": "Why must you see who this is? The reason is logged: ",
        "query": "Name to look for: ",
    },
    "ko": {
        "intro": "? 도움말   < 이전 질문   Enter 건너뛰기   Ctrl-C 저장하지 않고 중단",
        "intro_keep": "Enter는 [괄호] 안의 답을 그대로 두고, -는 지웁니다",
        "required": "꼭 답해야 하는 질문입니다.",
        "choose": "1부터 {most}까지의 번호를 고르십시오.",
        "whole": "정수를 쓰십시오.",
        "least": "가장 작은 값은 {bound}입니다.",
        "most": "가장 큰 값은 {bound}입니다.",
        "date": "날짜는 2019, 2019-03 또는 2019-03-14처럼 쓰십시오.",
        "unreadable": "읽을 수 없는 글자입니다. 다시 입력하십시오.",
        "lines": "여러 줄을 쓸 수 있습니다. 빈 줄로 끝냅니다.",
        "first": "첫 번째 질문입니다.",
        "no_help": "이 질문에 대한 도움말이 더 없습니다.",
        "kept": "{layer}에 기록됩니다.",
        "identity": "신원 층",
        "case": "사례 층",
        "tally": "집계 층",
        "review": "확인하십시오:",
        "save": "저장할까요?  y 예   1-{most} 고치기   n 아니요 : ",
        "save_choose": "y, n 또는 1부터 {most}까지의 번호를 입력하십시오.",
        "refused": "아직 저장하지 않았습니다. 맞지 않는 답:",
        "nothing": "(답이 없습니다)",
        "which_case": "사례(가명): ",
        "reason": "신원을 보아야 하는 까닭(기록에 남습니다): ",
        "query": "찾을 이름: ",
    },
}  # fmt: skip


def phrase(language: str, name: str, **values: object) -> str:
    """One sentence in this language."""
    return _PHRASES[language][name].format(**values)


def labelled(labels: Mapping[str, str], language: str, fallback: str) -> str:
    """The label in this language, else in English, else the name itself."""
    return labels.get(language) or labels.get("en") or fallback
