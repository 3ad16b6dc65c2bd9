# ruff: noqa: RUF001 - Chinese has punctuation of its own
"""What the report says itself, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from feem.view.report.terms import translated
from feem.view.report.text import plain

NOTHING = "\u2014"
"""What stands where there is nothing to say."""

LABELS: dict[str, tuple[str, str]] = {
    "title": ("Release evidence report", "发布证据报告"),
    "summary": ("Summary", "摘要"),
    "timeline": ("Timeline", "时间线"),
    "objectives": ("Service level objectives", "服务水平目标"),
    "gates": ("Gates", "门禁"),
    "people": ("Who asked and who decided", "申请人与决策人"),
    "approvals": ("Approvals and decisions", "审批与决定"),
    "change": ("The change", "变更内容"),
    "records": ("Audit records", "审计记录"),
    "audit": ("Transparency log", "透明日志"),
    "verify": ("How to verify", "如何核验"),
    "service": ("Service", "服务"),
    "namespace": ("Namespace", "命名空间"),
    "release": ("Release", "发布"),
    "uid": ("UID", "唯一标识"),
    "requestedBy": ("Requested by", "申请人"),
    "author": ("Author", "作者"),
    "createdAt": ("Requested at", "申请时间"),
    "endedAt": ("Ended at", "结束时间"),
    "duration": ("Duration", "历时"),
    "result": ("Result", "结果"),
    "reached": ("Furthest step", "到达步骤"),
    "plan": ("Plan", "灰度计划"),
    "profile": ("Compliance profile", "合规档案"),
    "images": ("Images", "镜像"),
    "facts": ("What the change says of itself", "变更自身的声明"),
    "name": ("Name", "名称"),
    "value": ("Value", "取值"),
    "digest": ("Pod template digest", "Pod 模板摘要"),
    "made": ("How this pack was made and checked", "证据包的生成与核验"),
    "weight": ("Requests served by the canary, %", "灰度版本承担的请求占比，%"),
    "all pods": ("all pods run the change", "全部实例已运行新版本"),
    "canary": ("Canary", "灰度版本"),
    "stable": ("Stable", "稳定版本"),
    "target": ("Target", "目标"),
    "bound": ("Bound", "界限"),
    "tolerated": ("Tolerated", "容许"),
    "bad share": ("Bad events, cumulative, %", "不良事件累计占比，%"),
    "slow share": ("Slow events, cumulative, %", "超时事件累计占比，%"),
    "shift": ("Events that fall elsewhere than on stable, %", "与稳定版本分布不同的事件占比，%"),
    "gauge": ("Value", "数值"),
    "evidence": ("Evidence that the canary is worse (e-value)", "灰度版本更差的证据，e 值"),
    "e": ("e-value", "e 值"),
    "threshold": ("Threshold", "阈值"),
    "reached threshold": ("threshold reached", "达到阈值"),
    "decided": ("decision", "判定"),
    "no evidence": ("A fixed rule: nothing is estimated.", "固定规则，不作统计推断。"),
    "mix": ("Category", "类别"),
    "share": ("Share of events", "事件占比"),
    "number": ("No.", "序号"),
    "time": ("Time (UTC)", "时间"),
    "event": ("Event", "事件"),
    "by": ("By", "操作人"),
    "gate": ("Gate", "门禁"),
    "kind": ("Kind", "类型"),
    "stage": ("Stage", "阶段"),
    "outcome": ("Outcome", "结果"),
    "reason": ("Reason", "原因"),
    "message": ("Message", "说明"),
    "verb": ("Decision", "决定"),
    "who": ("Who", "决策人"),
    "role": ("Role", "角色"),
    "allows": ("Allows (digest)", "批准对象摘要"),
    "ticket": ("Ticket", "工单"),
    "expires": ("Counts until", "有效至"),
    "index": ("Index", "编号"),
    "part": ("Part", "类别"),
    "action": ("Action", "动作"),
    "actor": ("Actor", "执行者"),
    "writes": ("writes", "写入"),
    "of intent": ("outcome of", "对应意图"),
    "before": ("before", "变更前"),
    "after": ("after", "变更后"),
    "origin": ("Origin", "日志来源"),
    "size": ("Size (entries)", "条目数"),
    "root": ("Root hash", "根哈希"),
    "signatures": ("Signatures on the checkpoint", "检查点签名"),
    "signer": ("Signer", "签名方"),
    "key id": ("Key ID", "密钥标识"),
    "signature": ("Signature", "签名类型"),
    "signed at": ("Signed at (UTC)", "签名时间"),
    "as": ("As", "身份"),
    "log": ("log", "日志"),
    "witness": ("witness", "见证方"),
    "samples": ("Raw samples", "原始样本"),
    "file": ("File", "文件"),
    "sha256": ("SHA-256 of the file", "文件 SHA-256"),
    "tape": ("Digest in the records", "记录中的摘要"),
    "replayed": ("Judged again", "重新判定"),
    "same": ("same verdicts, same digest", "判定与摘要一致"),
    "different": ("DIFFERENT from what was recorded", "与记录不一致"),
    "unreadable": ("cannot be read", "无法读取"),
    "page": ("Page", "第"),
    "log events": ("events of the log", "日志事件"),
}

SENTENCES: dict[str, tuple[str, str]] = {
    "nature": (
        "This page only shows what the pack holds. What proves it are the files beside it: check them as section 8 says.",
        "本页仅展示证据包的内容；真正的证明是随附文件，请按第 8 节核验。",
    ),
    "no records": ("The pack holds no record of this release.", "证据包中没有本次发布的记录。"),
    "no weights": ("No canary traffic is on record.", "没有灰度流量的记录。"),
    "no objectives": ("No objective is on record.", "没有服务水平目标的记录。"),
    "no samples": (
        "The pack holds no samples of it: it was not judged, or its samples were too long to keep.",
        "证据包中没有其样本：未作判定，或样本过长未予保留。",
    ),
    "no gates": ("The pack holds no answer of a gate.", "证据包中没有门禁结果。"),
    "no decisions": ("The pack holds no decision of a person.", "证据包中没有人工决定。"),
    "no change": ("The manifests are not in the pack, or do not differ.", "证据包中没有清单，或清单没有差异。"),
    "author": (
        "The author is what the change itself says of who wrote it; the requester is who the API server authenticated.",
        "作者为变更自身的声明；申请人由 API 服务器认证。",
    ),
    "broken axis": (
        "Zigzags mark stretches without events that are drawn shorter than they were.",
        "折线处为无事件的时段，已缩短绘制。",
    ),
    "more events": (
        "Further entries are in the table of records.",
        "其余条目见审计记录表。",
    ),
    "redacted": (
        "Values that may be secret are replaced by the beginning of their digest.",
        "可能涉密的取值以其摘要开头代替。",
    ),
    "cut": ("The difference goes on; the whole of it is in dossier.json.", "差异未完，完整内容见 dossier.json。"),
    "e-value": (
        (
            "At 1 the samples say nothing. Where the canary is as good as tolerated, X is ever reached with a probability of at most 1/X. "
            "α bounds the probability that a harmless release is rolled back; its objectives share it, a threshold is one over a share."
        ),
        (
            "e 值为 1 表示样本未说明任何问题；若灰度版本不差于容许水平，e 值达到 X 的概率至多为 1/X。"
            "α 为无害发布被误回退的概率上限，由各目标分摊，阈值为其份额的倒数。"
        ),
    ),
    "unsigned": ("The checkpoint cannot be read", "检查点无法读取"),
    "step pack": (
        "The whole pack: every file, record, proof, signature and verdict. KEYS are the log's public keys, had from its operator.",
        "整个证据包：全部文件、记录、证明、签名与判定。KEYS 为取自日志运营方的公钥文件。",
    ),
    "step log": (
        "The whole log, LOG being its published directory or an exported bundle: it must go on from this checkpoint.",
        "整个日志，LOG 为已发布的目录或导出的归档：日志须延续本检查点。",
    ),
    "step replay": ("The samples, judged again.", "用原始样本重新判定。"),
    "step files": (
        "Without FEEM: the files are those that pack.json lists.",
        "不使用 FEEM：文件与 pack.json 所列一致。",
    ),
    "step leaf": (
        "Without FEEM: a record's leaf hash (RFC 6962), from which its proof leads to the root above.",
        "不使用 FEEM：记录的叶哈希（RFC 6962），其证明由此推至上述根哈希。",
    ),
    "step formats": (
        (
            "Any tool for c2sp.org/tlog-proof@v1 and signed notes checks proofs and checkpoint; any tool for in-toto and DSSE checks the "
            "attestation. Take the log's keys from its operator, never from the pack."
        ),
        (
            "任何支持 c2sp.org/tlog-proof@v1 与 signed-note 的工具均可核验证明与检查点，支持 in-toto 与 DSSE 的工具可核验声明。"
            "日志公钥应取自日志运营方，切勿取自证据包。"
        ),
    ),
}


def chinese(text: str) -> str:
    """Mark a text as Chinese, for fonts, hyphenation and screen readers."""
    return f'<span class="zh" lang="zh-Hans">{text}</span>'


@dataclass(frozen=True)
class Vocabulary:
    """The words of one report, each as English and Chinese; `terms` are Chinese for words of FEEM's that mean something else here."""

    labels: Mapping[str, tuple[str, str]]
    sentences: Mapping[str, tuple[str, str]]
    terms: Mapping[str, str] = field(default_factory=dict)

    def label(self, name: str) -> str:
        """Return a label in both languages, as HTML: `Approvals 审批`."""
        return _both(*self.labels[name])

    def drawn(self, name: str) -> str:
        """Return a label in both languages, as text of a drawing."""
        return plain(" ".join(self.labels[name]))

    def sentence(self, name: str) -> str:
        """Return a sentence in both languages, as HTML."""
        return _both(*self.sentences[name])

    def term(self, word: str) -> str:
        """Return a word of FEEM's in both languages, as HTML; any other word is shown as it is."""
        other = self.terms.get(word) or translated(word)
        return f"<bdi>{plain(word)}</bdi> {chinese(other)}" if other else f"<bdi>{plain(word)}</bdi>" if word else ""


def _both(english: str, other: str) -> str:
    return f"{plain(english)} {chinese(plain(other))}"


_WORDS = Vocabulary(LABELS, SENTENCES)
label, drawn, sentence, term = _WORDS.label, _WORDS.drawn, _WORDS.sentence, _WORDS.term
