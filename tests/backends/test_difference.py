"""What changes a model in a file is found and named, and nothing else."""

from __future__ import annotations

import pytest

from nn2crn.backends.antimony import difference as antimony_difference
from nn2crn.backends.sbml.difference import first_difference
from nn2crn.errors import Nn2crnError


def document(body):
    return f'<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core"><model id="m">{body}</model></sbml>'.encode()


PARAMETERS = "<listOfParameters>{}</listOfParameters>"
K = PARAMETERS.format('<parameter id="k" value="0.5"/>')
LAW = "<listOfReactions><reaction id='r'><kineticLaw><math>{}</math></kineticLaw></reaction></listOfReactions>"
SAME = {
    "how a number is written": (K, K.replace("0.5", "5e-1")),
    "names and notes": (K, K.replace("/>", ' name="a" metaid="b"><notes><p>n</p></notes></parameter>')),
    "order": (PARAMETERS.format("<a id='1'/><a id='2'/>"), PARAMETERS.format("<a id='2'/><a id='1'/>")),
    "mantissa and exponent": (LAW.format("<cn>5e-1</cn>"), LAW.format("<cn type='e-notation'> 5 <sep/> -1 </cn>")),
    "layout": (LAW.format("<ci>x</ci>"), LAW.format("\n <ci> x </ci>\n")),
}
DIFFERENT = {
    "the last digit": (K, K.replace("0.5", "0.5000000000000001"), "parameter k: 0.5000000000000001 instead of 0.5"),
    "one more": (K, PARAMETERS.format('<parameter id="k" value="0.5"/><event/>'), "should not be there"),
    "one less": (K, PARAMETERS.format(""), "parameter k is missing"),
    "one twice": (K, PARAMETERS.format('<parameter id="k" value="7"/><parameter id="k" value="0.5"/>'), "7"),
    "twice, the first right": (K, PARAMETERS.format('<parameter id="k" value="0.5"/>' * 2), "should not be there"),
    "a factor": (LAW.format("<ci>x</ci>"), LAW.format("<ci>x</ci><ci>x</ci>"), "reaction r: ci is too much"),
    "the exponent": (LAW.format("<cn>5<sep/>-1</cn>"), LAW.format("<cn>5<sep/>-2</cn>"), "0.05 instead of 0.5"),
}


@pytest.mark.parametrize("what", SAME)
def test_what_does_not_change_a_model_is_no_difference(what):
    a, b = map(document, SAME[what])
    assert first_difference(a, b, (), "m.xml") == first_difference(b, a, (), "m.xml") == ""


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_changes_a_model_is_a_difference_and_named(what):
    right, wrong, said = DIFFERENT[what]
    assert said in first_difference(document(wrong), document(right), (), "m.xml")


def test_elements_without_end_are_refused():
    deep = document(LAW.format("<apply>" * 10**5 + "</apply>" * 10**5))
    with pytest.raises(Nn2crnError, match="nested more than"):
        first_difference(deep, document(""), (), "m.xml")


TEXT = 'model m()\n  var x = 0.0; x is "x";\n  k1 = 0.5; // k\n  r1: A + B => A; tube*k1*A*B;\nend\n'


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (TEXT.replace("0.5", "5e-1").replace("// k", "/* a\nb */").replace('"x"', '"//;"').replace("0.0", "7"), ""),
        (TEXT.replace("0.5", "0.50000000000000011"), "line 3: k1 = 0.50000000000000011 instead of k1 = 0.5"),
        (TEXT.replace("k1*A", "k1*A*A"), "line 4: tube*k1*A*A*B instead of tube*k1*A*B"),
        (TEXT.replace("end", "k1 = 2\nend"), "line 5: k1 = 2 instead of end"),
        (TEXT + "k1 = 2\n", "line 6: k1 = 2 should not be there"),
        (TEXT.replace("end\n", ""), "end is missing"),
    ],
)
def test_what_changes_a_text_in_antimony_is_named_by_its_line(changed, said):
    """libAntimony itself rounds to 15 digits."""
    assert antimony_difference.first_difference(changed, TEXT, {"x"}) == said
