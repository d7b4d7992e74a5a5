"""The few sentences that forms say themselves, in English and Korean. Labels and help texts are the codebook's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vault import Variable

_PHRASES = {
    "en": {
        "intro": "? help   < back   Enter skips   * needed   Ctrl-C stops and writes nothing",
        "intro_keep": "Enter keeps what stands in [brackets]; - clears it",
        "required": "This answer is needed.",
        "choose": "Choose a number from 1 to {most}.",
        "whole": "Write a whole number.",
        "least": "The least is {bound}.",
        "most": "The most is {bound}.",
        "date": "Write a date as 2019, 2019-03 or 2019-03-14, from {first} to {last}.",
        "period": "Write a year or a quarter, such as 2020 or 2020-Q1.",
        "hidden": "That has a character that does not show ({point}). Type it again without it.",
        "arrows": "Arrow and function keys do not work here; Backspace does. Type it again.",
        "cut": "That line is longer than a terminal takes ({most} bytes), so its end is lost. Write shorter lines.",
        "choose_long": "Not found. Type a code such as CN, or the beginning of a name.",
        "more_codes": "... and {count} more: type a code such as CN, or the beginning of a name.",
        "which_code": "Which one? Type its number: {matches}",
        "characters": "{count} characters",
        "unknown": "unknown",
        "follows": "{name}: now worked out from the other answers.",
        "sealed": "(sealed)",
        "cleared": "(cleared)",
        "open": "open",
        "anew": "(worked out anew)",
        "derived": "(worked out)",
        "amend_title": "{title}, entry {seq}, written {day}. The entry stays; the correction is a new one.",
        "amend_pick": "Change which?  1-{most} a number   ? list   Enter review   Ctrl-C stop : ",
        "amend_choose": "Type a number from 1 to {most}, ? for the list, or Enter to review.",
        "amend_nothing": "Nothing has changed yet.",
        "amend_review": "These change:",
        "amend_conflict": "Versions {names} contradict each other; {name} is shown. What you save settles it.",
        "versions": "{count} versions stand: {names}. Nobody who wrote one had seen the others.",
        "counts": "Until it is settled, {name} is shown and counted. The others differ in:",
        "resolve": "settle it with: {line}",
        "otherwise": "somebody else changed it at the same time to: {value}",
        "conflict": "amendments contradict each other",
        "passed": "passed to {handle}",
        "passed_on": "passed to {handle}: it is theirs now; what you wrote stays readable to you",
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
        "which_case": "Case (pseudonym; ? lists yours): ",
        "near_cases": "Did you mean: {names}?",
        "no_cases": "You have no cases yet. fieldvault case open begins one.",
        "busy": "Another fieldvault process is writing. Enter tries again, Ctrl-C stops: ",
        "saved": "Sealed as entry {seq} in case {case}. Saved.",
        "dry": "All is well. Dry run: nothing was written.",
        "reason": "Why must you see who this is? The reason is logged: ",
        "decline": "Why not? The reason travels to whoever offered it, sealed: ",
        "query": "Name to look for: ",
    },
    "ko": {
        "intro": "? 도움말   < 이전 질문   Enter 건너뛰기   * 필수   Ctrl-C 저장하지 않고 중단",
        "intro_keep": "Enter는 [괄호] 안의 답을 그대로 두고, -는 지웁니다",
        "required": "꼭 답해야 하는 질문입니다.",
        "choose": "1부터 {most}까지의 번호를 고르십시오.",
        "whole": "정수를 쓰십시오.",
        "least": "가장 작은 값은 {bound}입니다.",
        "most": "가장 큰 값은 {bound}입니다.",
        "date": "날짜는 2019, 2019-03 또는 2019-03-14처럼 쓰십시오({first}년부터 {last}년까지).",
        "period": "연도나 분기를 2020 또는 2020-Q1처럼 쓰십시오.",
        "hidden": "보이지 않는 글자({point})가 들어 있습니다. 빼고 다시 입력하십시오.",
        "arrows": "화살표와 기능 키는 쓸 수 없습니다. 백스페이스로 지우고 다시 입력하십시오.",
        "cut": "한 줄이 터미널의 한도({most}바이트)를 넘어 끝이 잘렸습니다. 더 짧게 나누어 쓰십시오.",
        "choose_long": "찾지 못했습니다. CN 같은 코드나 이름의 앞부분을 입력하십시오.",
        "more_codes": "... 그 밖에 {count}개: CN 같은 코드나 이름의 앞부분을 입력하십시오.",
        "which_code": "어느 것입니까? 번호를 입력하십시오: {matches}",
        "characters": "{count}자",
        "unknown": "알 수 없음",
        "follows": "{name}: 다른 답에서 자동으로 계산됩니다.",
        "sealed": "(봉인됨)",
        "cleared": "(지움)",
        "open": "진행 중",
        "anew": "(다시 계산됨)",
        "derived": "(자동 계산)",
        "amend_title": "{title}, 기록 {seq}번, {day} 작성. 원래 기록은 남고, 고친 내용은 새 기록이 됩니다.",
        "amend_pick": "무엇을 고칠까요?  1-{most} 번호   ? 목록   Enter 확인하기   Ctrl-C 중단 : ",
        "amend_choose": "1부터 {most}까지의 번호, 목록은 ?, 확인은 Enter를 누르십시오.",
        "amend_nothing": "아직 고친 것이 없습니다.",
        "amend_review": "이렇게 바뀝니다:",
        "amend_conflict": "{names} 판이 서로 다릅니다. {name} 판이 보입니다. 지금 저장하는 내용으로 정해집니다.",
        "versions": "서로 다른 {count}개의 판이 있습니다: {names}. 각각 다른 판을 보지 못하고 고친 것입니다.",
        "counts": "정해질 때까지 {name} 판을 보이고 셉니다. 다른 판과 다른 점:",
        "resolve": "이 명령으로 정하십시오: {line}",
        "otherwise": "다른 사람이 동시에 이렇게 고쳤습니다: {value}",
        "conflict": "고친 내용이 서로 어긋남",
        "passed": "{handle}에게 넘어감",
        "passed_on": "{handle}에게 넘어간 사례입니다. 직접 쓴 기록은 계속 볼 수 있습니다",
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
        "which_case": "사례(가명, ?는 내 사례 목록): ",
        "near_cases": "혹시 이 사례입니까: {names}?",
        "no_cases": "아직 사례가 없습니다. fieldvault case open으로 시작하십시오.",
        "busy": "다른 fieldvault가 쓰고 있습니다. Enter 다시 시도   Ctrl-C 중단: ",
        "saved": "사례 {case}에 기록 {seq}번으로 봉인하고 저장했습니다.",
        "dry": "문제가 없습니다. 시험 실행이라 아무것도 쓰지 않았습니다.",
        "reason": "신원을 보아야 하는 까닭(기록에 남습니다): ",
        "decline": "거절하는 까닭(제안한 사람에게 봉인되어 전달됩니다): ",
        "query": "찾을 이름: ",
    },
}  # fmt: skip


def phrase(language: str, sentence: str, /, **values: object) -> str:
    """One sentence in this language."""
    return _PHRASES[language][sentence].format(**values)


def labelled(labels: Mapping[str, str], language: str, fallback: str) -> str:
    """The label in this language, else in English, else the name itself."""
    return labels.get(language) or labels.get("en") or fallback


def shown(variable: Variable | None, value: object, language: str) -> str:
    """A recorded value in the person's language: the label of its code, or the words for "unknown"."""
    if variable is not None:
        for code in variable.codes:
            if code.code == value:
                return labelled(code.labels, language, code.code)
        if value is not None and value == variable.missing:
            return phrase(language, "unknown")
    return str(value)
