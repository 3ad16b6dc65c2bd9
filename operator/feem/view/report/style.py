"""How the report looks: light, with room, and the same on screen and on A4 paper; nothing is fetched."""

SCREEN = """
:root{--ink:#1c2733;--soft:#5a6876;--rule:#d9e0e7;--faint:#f4f6f9;--navy:#16324f;--canary:#c2570c;--stable:#2b6cb0;
--good:#1b7a4b;--bad:#b3261e;--wait:#946200;--people:#6b3fa0}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:#fff;color:var(--ink);font:14px/1.5 "Helvetica Neue",Arial,"Liberation Sans","PingFang SC",
"Microsoft YaHei","Noto Sans CJK SC","WenQuanYi Micro Hei",sans-serif;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:1080px;margin:0 auto;padding:36px 32px 48px}
h1,h2,h3,h4{color:var(--navy);line-height:1.3;margin:0;font-weight:600}
.zh{font-weight:400;color:var(--soft)}
th .zh,dt .zh,.badge .zh,.part .zh,strong .zh,.good .zh,.bad .zh{color:inherit}
code,pre{font-family:ui-monospace,"SFMono-Regular",Consolas,"Liberation Mono","DejaVu Sans Mono","WenQuanYi Micro Hei Mono",
"WenQuanYi Micro Hei",monospace;font-size:.86em}
code,td,dd,p,li{overflow-wrap:anywhere}
bdi{unicode-bidi:isolate;overflow-wrap:anywhere}
.title{border-bottom:3px solid var(--navy);padding-bottom:20px}
.title .over{display:flex;justify-content:space-between;gap:24px;font-size:12.5px;color:var(--soft);letter-spacing:.02em}
.title h1{font-size:29px;margin:14px 0 4px;overflow-wrap:anywhere}
.title .what{font-size:15px;color:var(--soft)}
.result{display:flex;gap:16px;align-items:flex-start;margin:22px 0 0;padding:14px 18px;border-left:5px solid var(--soft);
background:var(--faint)}
.result.good{border-color:var(--good)}.result.bad{border-color:var(--bad)}
.result .word{flex:none;max-width:40%;font-size:20px;font-weight:600;overflow-wrap:anywhere}
.result.good .word{color:var(--good)}.result.bad .word{color:var(--bad)}
.result p{margin:3px 0 0;color:var(--ink)}
.facts{display:grid;grid-template-columns:repeat(3,1fr);gap:0 32px;margin:18px 0 0}
.facts div{border-bottom:1px solid var(--rule);padding:8px 0 7px;min-width:0}
.facts .wide{grid-column:span 2}
.facts dt{font-size:11.5px;color:var(--soft)}
.facts dd{margin:1px 0 0;font-size:13.5px}
.made{margin:18px 0 0;font-size:13px}
.made strong{color:var(--navy)}
section{margin-top:38px}
h2{font-size:18px;padding-bottom:7px;border-bottom:1px solid var(--navy);margin-bottom:14px}
h2 .n{display:inline-block;min-width:1.5em;color:var(--soft);font-weight:400}
h3.sub{font-size:14px;margin:20px 0 8px}
.none{color:var(--soft);margin:6px 0;font-style:normal}
.note{color:var(--soft);font-size:12px;margin:6px 0}
.nature{color:var(--soft);font-size:12.5px;margin:10px 0 0}
figure{margin:0}
svg{display:block;width:100%;height:auto;font:11px/1 "Helvetica Neue",Arial,"Liberation Sans","PingFang SC","Microsoft YaHei",
"Noto Sans CJK SC","WenQuanYi Micro Hei",sans-serif}
svg text{fill:var(--soft)}
svg .strong{fill:var(--ink);font-weight:600;font-size:12px}
svg .title{fill:var(--ink);font-size:12px}
svg .legend{fill:var(--ink)}
svg .grid{stroke:var(--rule);stroke-width:1}
svg .axis{stroke:#8795a3;stroke-width:1;fill:none}
svg .gap{stroke:#fff;stroke-width:4}
svg .gap-text{fill:var(--wait)}
svg .canary,svg .e,svg .shift,svg .everywhere{fill:none;stroke:var(--canary);stroke-width:2;stroke-linejoin:round}
svg .stable{fill:none;stroke:var(--stable);stroke-width:1.8;stroke-dasharray:7 2}
svg .everywhere{stroke:var(--good)}
svg .e{stroke:var(--navy)}
svg .fill-canary{fill:#c2570c;fill-opacity:.12}
svg .fill-everywhere{fill:#1b7a4b;fill-opacity:.1}
svg .target{stroke:var(--bad);stroke-width:1.3;stroke-dasharray:3 3}
svg .step{stroke:#b8c3cd;stroke-width:1;stroke-dasharray:2 3}
svg .step-text{font-size:10px}
svg .event{fill:none;stroke:#aab6c1;stroke-width:.8}
svg .decided{stroke:var(--ink);stroke-width:1.2}
svg .decided-text{fill:var(--ink);font-size:10px}
svg .crossed{fill:var(--bad);stroke:#fff;stroke-width:1.5}
svg .dot-canary,svg .dot-shift{fill:var(--canary)}svg .dot-stable{fill:var(--stable)}svg .dot-e{fill:var(--navy)}
svg .mark{fill:#5a6876;stroke:#fff;stroke-width:1.5}
svg .mark.forward{fill:var(--stable)}svg .mark.back{fill:var(--bad)}svg .mark.people{fill:var(--people)}svg .mark.end{fill:var(--good)}
svg .no{fill:#fff;font-size:10.5px;font-weight:600}
.dot{display:inline-block;min-width:19px;height:19px;line-height:19px;border-radius:10px;background:#5a6876;color:#fff;font-size:10.5px;
font-weight:600;text-align:center}
.dot.forward{background:var(--stable)}.dot.back{background:var(--bad)}.dot.people{background:var(--people)}.dot.end{background:var(--good)}
table{width:100%;border-collapse:collapse;table-layout:fixed;font-size:12.5px;line-height:1.42;margin:10px 0 0}
th .zh,td .zh{white-space:nowrap}
th{background:var(--faint);color:var(--navy);text-align:left;font-weight:600;font-size:11.5px;border-bottom:1.5px solid #b8c3cd}
th,td{padding:6px 8px;vertical-align:top;overflow-wrap:anywhere}
td{border-bottom:1px solid var(--rule)}
.right{text-align:right}.center{text-align:center}
.ref{color:var(--soft);font-size:.88em;white-space:nowrap}
.small{color:var(--soft);font-size:.9em;margin-top:2px}
.writes{margin:3px 0 0;padding-left:15px;color:var(--soft);font-size:.93em}
table.records{font-size:11.5px}
.part.intent{color:var(--stable)}.part.outcome{color:var(--good)}.part.fact{color:var(--people)}
.badge{display:inline-block;padding:1px 8px;border-radius:3px;font-size:11.5px;font-weight:600;background:#e8edf2;color:var(--ink);
overflow-wrap:anywhere}
.badge.good{background:#e0f2e8;color:#14603a}.badge.bad{background:#fbe4e2;color:#8f1d17}.badge.wait{background:#fff1d1;color:#6d4a00}
.good{color:var(--good)}.bad{color:var(--bad)}
.card{border:1px solid var(--rule);border-radius:4px;padding:14px 16px 12px;margin:0 0 14px}
.card header{display:flex;flex-wrap:wrap;align-items:center;gap:4px 12px}
.card h3{font-size:15px;overflow-wrap:anywhere}
.card h4{font-size:12.5px;margin:10px 0 0}
.category,.reason{font-size:12px;color:var(--soft);min-width:0;overflow-wrap:anywhere}
.description{margin:2px 0 10px;color:var(--soft);font-size:13px}
.message{margin:8px 0 0;font-size:12.5px}
.plots{display:grid;grid-template-columns:1fr 1fr;gap:24px}
.rule{display:flex;align-items:center;justify-content:center;color:var(--soft);font-size:12.5px;background:var(--faint);min-height:120px;
padding:12px;text-align:center}
.mix{display:grid;grid-template-columns:repeat(3,1fr);gap:6px 24px;margin:10px 0 2px;font-size:11.5px}
.mix-title{grid-column:1/-1;color:var(--soft)}
.kind{display:grid;grid-template-columns:minmax(40px,26%) 1fr 46px;gap:1px 8px;align-items:center}
.kind .name{grid-row:span 2;overflow-wrap:anywhere;line-height:1.2}
.bar{background:var(--faint);height:8px}
.bar i{display:block;height:8px}
.bar .canary{background:var(--canary)}.bar .stable{background:var(--stable)}
.value{text-align:right;font-variant-numeric:tabular-nums;line-height:1.25}
.legend{margin:0 0 6px;font-size:12px}
p.legend .removed,p.legend .added{padding:1px 8px;margin-right:8px}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
.diff{border:1px solid var(--rule);border-radius:4px;padding:6px 0;line-height:1.45}
.diff span{display:block;padding:0 10px 0 28px;text-indent:-18px;min-height:1.45em}
.diff i{display:inline-block;width:18px;text-indent:0;font-style:normal;color:var(--soft)}
.added{background:#e6f4ea;color:#0f4f2c}.removed{background:#fcebea;color:#7d1a14}
.removed .zh,.added .zh{color:inherit}
.hunk{color:var(--soft);background:var(--faint)}
.note-text,.command{background:var(--faint);padding:8px 10px;border-radius:3px}
.verify{margin:0;padding-left:20px;font-size:13px}
.verify li{margin-bottom:10px}
.verify .command{margin-top:4px}
footer{margin-top:36px;padding-top:10px;border-top:1px solid var(--rule);color:var(--soft);font-size:11.5px}
"""

PAPER = """
@page{size:A4;margin:15mm 14mm 17mm;@bottom-left{content:"FEEM \\00b7 Release evidence report \\53d1\\5e03\\8bc1\\636e\\62a5\\544a";
font:7.5pt Arial,"Liberation Sans","WenQuanYi Micro Hei",sans-serif;color:#5a6876}
@bottom-right{content:counter(page) " / " counter(pages);font:7.5pt Arial,"Liberation Sans",sans-serif;color:#5a6876}}
@media print{
body{font-size:9pt}
main{max-width:none;padding:0}
section{margin-top:16px}
h2{margin-bottom:8px;padding-bottom:4px}
.title{padding-bottom:10px}
.title h1{margin:6px 0 2px}
.result{margin-top:10px;padding:8px 12px}
.result p{font-size:8.4pt}
.facts{margin-top:8px}
.facts div{padding:4px 0}
.made,.nature{margin-top:8px}
.description{margin-bottom:4px}
.card{margin-bottom:9px}
.verify li{margin-bottom:6px}
.command{padding:5px 8px}
.title h1{font-size:19pt}
.result .word{font-size:14pt}
h2{font-size:13pt}h2,h3,h4{break-after:avoid}
table{font-size:7.6pt}th{font-size:7.2pt}table.records{font-size:6.9pt}
th,td{padding:3.5px 5px}
thead{display:table-header-group}
tr,.card,figure,.result,.facts div,.verify li{break-inside:avoid}
.facts dd{font-size:8.6pt}.facts dt{font-size:7.2pt}
.card{padding:9px 11px}
.plots{gap:12px}
.message,.description,.made,.verify,.none{font-size:8pt}
.note,.nature{font-size:7.4pt}
.diff{font-size:7.4pt}
.badge{font-size:6.8pt;padding:1px 5px}
.category,.reason,.legend,.mix{font-size:7.4pt}
.dot{font-size:6.4pt;min-width:15px;height:15px;line-height:15px}
.card h3,h3.sub{font-size:9.5pt}
footer{display:none}
}
@media screen and (max-width:760px){main{padding:20px 14px}.facts,.plots,.mix{grid-template-columns:1fr}.result{display:block}
.result .word{max-width:none}}
"""
