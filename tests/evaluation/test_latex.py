"""LaTeX that compiles, with the best in bold and names as papers write them; and what a notebook shows."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from tex import PDFLATEX, compiled
from trees import random_osie

from salbox.evaluation import Evaluation
from salbox.evaluation.agreement import PairwiseCC
from salbox.evaluation.agreement_table import agreement_to_latex
from salbox.evaluation.formats import Grid
from salbox.evaluation.latex import escaped, latex_table, to_latex
from salbox.evaluation.paper_names import paper_name
from salbox.metrics import METRICS

# Commands that LaTeX's kernel (of 2020 and later) and booktabs have, with how many arguments in braces.
KNOWN = {
    "toprule": 0, "midrule": 0, "bottomrule": 0, "cell": 1, "textbf": 1, "scriptsize": 0, "begin": 1, "end": 1,
    "uparrow": 0, "downarrow": 0, "beta": 0, "sigma": 0, "pm": 0, "times": 0, "textbackslash": 1, "textasciitilde": 1,
    "textasciicircum": 1, "textless": 1, "textgreater": 1, "textbar": 1, "textasciigrave": 1, "textsuperscript": 1,
    "dots": 1,
}  # fmt: skip
MATH = {"uparrow", "downarrow", "beta", "sigma", "pm", "times"}
HOSTILE = r"a&b %50 $x$ #1 _u {v} ~w ^2 \input{x} <i> |p| `q` [r]"


def check_latex(text: str) -> list[list[str]]:
    """Return the cells of each row after asking of a table what TeX asks: an error here is one there."""
    text = re.sub(r"\\begin\{tabular\}\{@\{\}r@\{\}\}(.*?)\\end\{tabular\}", r"\\cell{\1}", text)  # of two lines
    tables = re.findall(r"\\begin\{tabular\}\{([lr]+)\}\n(.*?)\\end\{tabular\}", text, re.S)
    assert text.count(r"\begin{tabular}") == len(tables) > 0
    outside = re.sub(r"\\begin\{tabular\}.*?\\end\{tabular\}", "", text, flags=re.S)
    assert all(line.startswith("%") or not line.strip() for line in outside.splitlines())
    rows = []
    for columns, body in tables:
        depth, in_math, place, cells = 0, False, 0, [""]
        while place < len(body):
            character = body[place]
            if character == "\\":
                symbol = body[place + 1]
                if symbol.isalpha():
                    name = re.match(r"[a-zA-Z]+", body[place + 1 :])[0]
                    assert name in KNOWN, name
                    assert (name in MATH) <= in_math, name
                    place += 1 + len(name)
                    if name in ("midrule", "toprule", "bottomrule"):
                        assert depth == 0
                        assert body[place] == "\n"
                        assert body[place + 1 : place + 2] not in ("[", "*")
                    elif KNOWN[name]:
                        assert body[place] == "{", name
                    continue
                if symbol == "\\":
                    assert not re.match(r"\s*[\[*]", body[place + 2 :]), "an argument of the end of a row"
                    if depth == 0:
                        rows.append([*cells])
                        assert len(cells) == len(columns), cells
                        cells = [""]
                else:
                    assert symbol in "&%$#_{}", symbol
                    cells[-1] += symbol
                place += 2
                continue
            assert character not in "%#_^~<>|`", body[place - 20 : place + 20]
            assert ord(character) < 128, body[place - 20 : place + 20]
            if character == "&":
                assert depth == 0
                assert not in_math
                cells.append("")
            elif character == "$":
                in_math = not in_math
            else:
                depth += (character == "{") - (character == "}")
                assert depth >= 0
                cells[-1] += character
            place += 1
        assert depth == 0
        assert not in_math
        assert "".join(cells).strip() == ""
    return rows


def evaluation(rows: dict[str, float], ceiling: float | None = None) -> Evaluation:
    metrics = (METRICS["nss"], METRICS["kl_mit"], METRICS["max_f"])
    noise = np.random.default_rng(0).normal(0, 1e-6, 5)
    values = {name: {"nss": level + noise, "kl_mit": 2 - level + noise} for name, level in rows.items()}
    if ceiling is not None:
        values["human ceiling"] = {"nss": ceiling + noise}
    images = tuple(f"{k}_{HOSTILE}.png" for k in range(5))
    facts = {"note": f"{HOSTILE}\nsecond line"}
    return Evaluation("folder:~/a_b&c", "all", metrics, images, values, facts, notes=("50 % left out",))


def test_a_table_of_hostile_names_compiles():
    table = evaluation({HOSTILE: 1.0, "[bracket]": 1.5, "*star": 0.5, "gbvs": -0.25}, ceiling=3.0)
    rows = check_latex(table.to_latex())
    assert len(rows) == 6
    check_latex(table.to_latex(per_image=True))
    rows = check_latex(table.to_latex(against="gbvs"))
    assert len(rows) == 6 + 5
    first = table.to_latex().splitlines()[0]
    assert first == r"% in the preamble: \usepackage{booktabs}"


@pytest.mark.skipif(PDFLATEX is None, reason="there is no pdflatex")
@pytest.mark.parametrize("options", [{}, {"per_image": True}, {"against": "gbvs"}], ids=str)
def test_pdflatex_sets_it_with_the_packages_that_it_names(options, tmp_path):
    rows = {HOSTILE: 1.0, "[bracket]": 1.5, "*star": 0.5, "größer": 0.7, "gbvs": -0.25}
    log = compiled(evaluation(rows, ceiling=3.0).to_latex(**options), tmp_path)
    assert "Missing character" not in log


@pytest.mark.skipif(PDFLATEX is None, reason="there is no pdflatex")
def test_pdflatex_sets_how_models_agree(tmp_path):
    found = PairwiseCC(("gbvs", HOSTILE), ("a.png", f"{HOSTILE}.png"), np.array([np.eye(2), np.full((2, 2), -0.5)]))
    for per_image in (False, True):
        compiled(agreement_to_latex(found, per_image=per_image), tmp_path)


@pytest.mark.skipif(PDFLATEX is None, reason="there is no pdflatex")
def test_a_folder_of_a_data_set_becomes_a_table_in_a_paper(cli, tmp_path):
    root = random_osie(tmp_path / "my_OSIE & more", images=3)
    code, table, said = cli(
        "evaluate", "-m", "gaussian", "--dataset", f"osie:{root}", "--metrics", "nss,cc", "--baseline", "--latex"
    )
    assert code == 0, said
    assert "centre bias & " in table
    compiled(table, tmp_path)


def test_the_best_is_bold_and_ceilings_are_not_compared():
    text = to_latex(evaluation({"gbvs": 1.0, "bms": 1.0001, "aim": 0.5}, ceiling=9.0))
    lines = {line.split(" & ")[0]: line for line in text.splitlines() if " & " in line}
    assert lines["GBVS"].count(r"\textbf{1.000}") == 2  # NSS and KL, both printed as BMS's are
    assert lines["BMS"].count(r"\textbf{1.000}") == 2
    assert r"\textbf" not in lines["AIM"] + lines["human ceiling"]
    alone = to_latex(evaluation({"gbvs": 1.0}))
    assert r"\textbf" not in alone


def test_minus_signs_are_set_as_such():
    text = to_latex(evaluation({"gbvs": -0.25, "ensemble:aim+gbvs-x": 1}))
    assert r"\begin{tabular}{@{}r@{}}$-$0.250\\{\scriptsize {[}$-$0.250, $-$0.250]}\end{tabular}" in text
    assert "AIM + gbvs-x &" in text


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("gbvs", "GBVS"),
        ("gbvs.student", "GBVS (student)"),
        ("sam.kdsalbox", "SAM (KDSalBox)"),
        ("unisal.people", "UNISAL (salbox)"),
        ("ensemble:aim+0.5*gbvs.student", "AIM + 0.5 GBVS (student)"),
        ("runs/mine", "mine"),
        ("/data/net.onnx", "net"),
        ("blends/students.json", "students"),
        ("students.json", "students"),
        ("human ceiling", "human ceiling"),
        ("mine.v2", "mine.v2"),
    ],
)
def test_names_as_papers_write_them(row, name):
    assert paper_name(row) == name


def test_two_rows_are_never_given_one_name():
    text = to_latex(evaluation({"a/mine": 1.0, "b/mine": 2.0}))
    assert "a/mine &" in text
    assert "b/mine &" in text


def test_other_alphabets_ask_for_another_compiler():
    text = to_latex(evaluation({"注意": 1.0, "gbvs": 2.0}))
    assert text.splitlines()[1].startswith("% some names hold letters that pdflatex lacks: compile with XeLaTeX")
    assert "注意 &" in text
    assert "XeLaTeX" not in to_latex(evaluation({"größer": 1.0}))


def test_a_text_stands_for_itself_at_the_beginning_of_a_row():
    assert escaped("[x]") == "{[}x]"
    assert escaped("*") == "{*}"
    assert escaped("a\nb") == "a b"
    check_latex(latex_table(Grid(("", "β ↑"), (("[", "1\n[0, 2]"), ("*", "–"))), figures=1, bold={(0, 1)}))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_a_notebook_shows_a_table():
    table = evaluation({"<script>alert(1)</script>": 1.0, "gbvs": 2.0})
    parsed = Tags()
    parsed.feed(table._repr_html_())
    assert parsed.open == []
    assert parsed.seen.count("tr") == 3
    assert "script" not in parsed.seen
    assert "<script>alert(1)</script>" in parsed.text
    assert "50 % left out" in parsed.text


def test_an_evaluation_says_what_it_is_in_a_line(tmp_path):
    table = evaluation({"gbvs": 1.0, "bms": 2.0})
    assert repr(table) == ("Evaluation of gbvs, bms by nss, kl_mit, max_f on folder:~/a_b&c, split all, 5 images")
    assert str(table) == table.to_markdown()
    assert table.to_markdown().startswith("| model | NSS ↑ |")
    assert table.to_csv().splitlines()[0] == "model,metric,value,low,high"
    figure = table.plot(tmp_path / "bars.png")
    assert len(figure.axes) >= 3
    assert (tmp_path / "bars.png").read_bytes()[:4] == b"\x89PNG"
