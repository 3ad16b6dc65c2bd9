# ruff: noqa: RUF001 - Chinese has punctuation of its own
"""What the report of a game day says itself, in English and Chinese."""

from __future__ import annotations

from feem.view.report.words import Vocabulary

LABELS: dict[str, tuple[str, str]] = {
    "title": ("Chaos game day report", "混沌演练报告"),
    "overview": ("All runs", "全部演练"),
    "runs": ("Each run", "逐次演练"),
    "records": ("Audit records", "审计记录"),
    "audit": ("Transparency log", "透明日志"),
    "verify": ("How to verify", "如何核验"),
    "made": ("How this report was made and checked", "报告的生成与核验"),
    "number of runs": ("Runs", "演练次数"),
    "results": ("Results", "结果"),
    "from": ("From", "开始"),
    "until": ("Until", "结束"),
    "faults injected": ("Faults injected", "已注入故障"),
    "effects seen": ("Effects seen", "已观测到影响"),
    "residue": ("Residue", "残留"),
    "longest undo": ("Longest undo", "最长撤销用时"),
    "longest recovery": ("Longest recovery", "最长恢复用时"),
    "run": ("Run", "演练"),
    "experiment": ("Experiment", "实验"),
    "service": ("Service", "服务"),
    "fault": ("Fault", "故障"),
    "result": ("Result", "结果"),
    "cause": ("Cause", "原因"),
    "effect": ("Effect seen", "影响"),
    "effect values": ("Effect", "故障影响"),
    "in place": ("In place", "持续"),
    "undo": ("Undo", "撤销"),
    "recovery": ("Recovery", "恢复"),
    "hypothesis": ("Hypothesis", "假设"),
    "radius": ("Blast radius", "影响范围"),
    "deployment": ("Deployment", "部署"),
    "asked": ("Asked by", "发起人"),
    "reason": ("Reason", "理由"),
    "stopped": ("Stopped by", "中止人"),
    "probe": ("How the effect is seen", "影响的观测方式"),
    "digest": ("Experiment (digest)", "实验摘要"),
    "uid": ("UID", "唯一标识"),
    "timeline": ("Timeline", "时间线"),
    "time": ("Time (UTC)", "时间"),
    "event": ("Event", "事件"),
    "changes": ("What was changed, and what was there before", "改动及原值"),
    "object": ("Object", "对象"),
    "change": ("Change", "改动"),
    "before": ("Before", "之前"),
    "during": ("With the fault", "故障期间"),
    "after": ("After", "之后"),
    "objective": ("Objective", "目标"),
    "objectives": ("Objectives", "服务水平目标"),
    "left": ("What was left", "残留情况"),
    "none": ("none", "无"),
    "kept": ("Changed by others meanwhile, and left so", "期间被他人修改而保留"),
    "query": ("Query", "查询"),
    "on record": ("First entry of the log about it", "首条日志记录"),
    "planned": ("Checked and planned; the way back is durable", "已检查并计划，撤销方案已落盘"),
    "injected": ("Injected: all of the fault is in place", "故障已全部注入"),
    "seen": ("Effect seen", "观测到影响"),
    "unmeasured": ("Objectives cannot be measured any more", "目标无法继续测量"),
    "breached": ("An objective is certainly breached", "确认目标被突破"),
    "undone": ("Undone: the fault is taken back", "故障已撤销"),
    "gone": ("Effect gone", "影响消失"),
    "recovered": ("Recovered: state and objectives are as before", "已恢复原状"),
    "over": ("Over", "结束"),
    "message": ("Message", "说明"),
    "of intent": ("outcome of", "对应意图"),
    "evidence": ("digest", "摘要"),
}

SENTENCES: dict[str, tuple[str, str]] = {
    "nature": (
        "This page only shows what the report's files hold. What proves it are those files: check them as the last section says.",
        "本页仅展示随附文件的内容；真正的证明是这些文件，请按最后一节核验。",
    ),
    "unproven": (
        "NOT PROVEN. This report was made without the signed log: nothing in it can be checked.",
        "未经证明。本报告未能取得已签名的日志，其内容无法核验。",
    ),
    "no records": ("The report holds no entry of the log about these runs.", "报告中没有关于这些演练的日志记录。"),
    "no changes": ("Nothing was changed.", "没有任何改动。"),
    "no objectives": ("No objective was measured.", "未测量任何目标。"),
    "no times": ("The run was refused before anything was planned.", "演练在制定计划之前即被拒绝。"),
    "undo": (
        "Undo: from the log's entry that announces it to the one that ends it. Recovery: until state and objectives were as before.",
        "撤销：自日志宣告撤销至记录完成；恢复：自撤销至状态与目标复原。",
    ),
    "step report": (
        "The whole report: every file, record, proof, signature, run and figure. KEYS are the log's public keys, had from its operator.",
        "整份报告：全部文件、记录、证明、签名、演练与数据。KEYS 为取自日志运营方的公钥文件。",
    ),
    "step log": (
        "The whole log, LOG being its published directory or an exported bundle: it must go on from this checkpoint.",
        "整个日志，LOG 为已发布的目录或导出的归档：日志须延续本检查点。",
    ),
    "step digest": (
        "Without FEEM: a run's digest, which the entry ChaosRunEnded about it has as its evidence.",
        "不使用 FEEM：演练的摘要，与其 ChaosRunEnded 条目中的证据一致。",
    ),
}

TERMS: dict[str, str] = {
    "Passed": "通过",
    "Failed": "未通过",
    "Aborted": "已中止",
    "Skipped": "未执行",
    "Error": "出错",
    "PodKill": "Pod 丢失",
    "PodFailure": "Pod 故障",
    "ScaleDown": "缩容",
    "NetworkPartition": "网络隔离",
    "DependencyCut": "切断依赖",
    "HttpAbort": "请求报错",
    "HttpLatency": "请求延迟",
    "CpuPressure": "CPU 受限",
    "MemoryPressure": "内存受限",
}


_WORDS = Vocabulary(LABELS, SENTENCES, TERMS)
label, drawn, sentence, term = _WORDS.label, _WORDS.drawn, _WORDS.sentence, _WORDS.term


_TONES = {"Passed": "good", "Pass": "good", "Failed": "bad", "Fail": "bad", "Error": "bad", "Aborted": "wait"}


def badge(word: str) -> str:
    """Return a result or an outcome with the colour of what it means."""
    return f'<span class="badge {_TONES.get(word, "neutral")}">{term(word)}</span>' if word else ""
