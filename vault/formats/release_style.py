"""The style sheet of a release's page: calm on a screen, narrow enough for a telephone, plain on paper.

No font, picture or address comes from anywhere. One colour carries the figures, and no meaning hangs on it. Texts wrap
wherever they must, so that no label, digest or checkpoint pushes the page wider than a telephone.
"""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{color-scheme:light;--ink:#1e2a30;--soft:#53636b;--line:#d8d6ce;--fill:#2c6068;--paper:#fbfaf6}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);overflow-wrap:anywhere;word-break:keep-all;
font:16px/1.55 system-ui,"Noto Sans","Noto Sans KR","Noto Sans CJK KR","Apple SD Gothic Neo","Malgun Gothic",sans-serif}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1rem 3rem}
h1,h2,h3,p,figure{margin:0}
h1{font-size:clamp(1.5rem,1.1rem + 1.8vw,2.25rem);line-height:1.2;font-weight:650;letter-spacing:-.01em}
h1 span,h2 span,h3 span{color:var(--soft);font-weight:400}
h1 span{display:block;font-size:.6em;line-height:1.45;letter-spacing:0;margin-top:.45em}
h2{font-size:1.25rem;line-height:1.35;font-weight:650}
h3{font-size:1rem;line-height:1.4;font-weight:600;margin-top:1.5rem}
h2 span,h3 span{font-size:.9em;margin-left:.35em}
.sum{margin-top:1.75rem;padding:1.1rem 0 1.2rem;border-top:2px solid var(--ink);border-bottom:1px solid var(--line)}
.sum strong{display:inline-block;font-size:3.25rem;line-height:1.1;font-weight:600;letter-spacing:-.02em;
font-variant-numeric:tabular-nums;margin-right:.15em}
.sum strong.mark{font-size:1.75rem;font-weight:500;letter-spacing:0}
.soft,.asked{color:var(--soft)}
.asked{margin-top:.2rem}
section{margin-top:2.75rem}
figure{display:grid;grid-template-columns:minmax(0,1fr);gap:1rem;margin-top:1rem}
svg{display:block;width:100%;max-width:26rem;height:auto}
svg text{font-size:13px;fill:var(--ink)}
svg .ko{fill:var(--soft)}
svg .value{font-weight:650;font-variant-numeric:tabular-nums}
svg .bar{fill:var(--fill)}
svg .none{fill:none;stroke:#7b878d;stroke-width:1}
svg .axis{fill:none;stroke:var(--ink);stroke-width:1.5}
table{border-collapse:collapse;table-layout:fixed;width:100%;font-size:.9375rem;line-height:1.4;align-self:start}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
th,td{border-bottom:1px solid var(--line);padding:.5rem .6rem .5rem 0;text-align:left;vertical-align:top;
font-weight:400}
thead th{color:var(--soft);font-size:.8125rem;border-bottom:1px solid var(--ink)}
tbody span,thead span{color:var(--soft)}
tbody th span,td.s span,td.mark span{font-size:.875em}
th span,td span{display:block}
th.n,td.n{width:27%;text-align:right;padding-right:1rem;font-variant-numeric:tabular-nums}
th.s{width:38%}
td.n data{font-weight:600}
td.n.mark{color:var(--soft)}
tr>:last-child{padding-right:0}
ul{margin:.75rem 0 0;padding:0;list-style:none}
.notes li{display:grid;grid-template-columns:minmax(0,1fr);gap:.1rem 2rem;padding:.6rem 0;
border-top:1px solid var(--line)}
.notes span[lang]{color:var(--soft)}
.source{font-size:.8125rem;line-height:1.5;color:var(--soft)}
.source h2{color:var(--ink);font-size:1rem}
.source p,.source ul{margin-top:.6rem}
.source li{padding:.15rem 0}
code{font:.95em/1.5 ui-monospace,Menlo,Consolas,monospace;word-break:break-all}
@media (min-width:48rem){
main{padding:4rem 2rem 5rem}
figure{grid-template-columns:minmax(0,5fr) minmax(0,6fr);gap:2.5rem}
.notes li{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}
}
@page{size:A4;margin:18mm 16mm}
@media print{
:root{--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--fill:#333}
body{font-size:10.5pt}
main{max-width:none;padding:0}
section{margin-top:1.5rem}
h3{margin-top:1rem}
th,td{padding-top:.25rem;padding-bottom:.25rem}
.sum{margin-top:1rem;padding:.7rem 0}
figure{grid-template-columns:minmax(0,5fr) minmax(0,6fr);gap:1.5rem;margin-top:.6rem}
figure,tr,li,.sum{break-inside:avoid}
h1,h2,h3,.asked{break-inside:avoid;break-after:avoid}
.notes li{grid-template-columns:minmax(0,1fr) minmax(0,1fr);padding:.35rem 0}
}
"""
"""The page's whole style sheet, exactly as it stands between its tags: the page's policy names its hash."""
