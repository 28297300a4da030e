"""Letters of other scripts that look like Latin ones.

Responsible for: the table. It is its own view, not part of the normalised text: there, Russian stays Russian.
Must never: map a character to more than one, so that offsets stay as they are.
"""

from __future__ import annotations

import re

_PAIRS = (
    "аaвbгrдdеeзeиuкkлnмmнhоoпnрpсcтtуyфoхxчyьbэeяrіiїiјjѕsԁdһhԛqԝwҝkһhҽeҳxӏlԍgыbъbјjѵvѡwѳoґrєeқkңhүyұyҫc"  # Cyrillic
    "АAВBЕEЗEКKМMНHОOРPСCТTУYХXІIЈJЅSԀDԌGԚQԜWҮYӀIѴVЯRИNГRПN"
    "αaβbγyδdεeζzηnθoιiκkλaμuνvξeοoπnρpσoτtυuφoχxψyωwϲcϳj"  # Greek
    "ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXΓrΣEΔA"
    "աwբpգqդnեtզqէeըnթpիhլlխuծdկuհhձaղnճaմuյjնuշeոnչsպwջpռnսuվlտtրrցgւiփpքpօoֆf"  # Armenian
    "ՍUՕOՏSԼLՀH"
    "ⲁaⲃbⲅrⲇaⲉeⲋcⲍzⲏhⲓiⲕkⲗaⲙmⲛnⲟoⲡnⲣpⲥcⲧtⲩyⲫoⲭxⲱw"  # Coptic
    "ᎠDᎡRᎢTᎥiᎩyᎪAᎫJᎬEᎳWᎷMᎻHᏀGᏃZᏎ4ᏒRᏔWᏕSᏙVᏚSᏞLᏟCᏢPᏦKᏧdᏴBᏏbᎾO"  # Cherokee
    "ꓐBꓑPꓒdꓓDꓔTꓖGꓗKꓙJꓚCꓜZꓝFꓟMꓠNꓡLꓢSꓣRꓦVꓧHꓪWꓫXꓬYꓮAꓰEꓲIꓳOꓴU"  # Lisu
    "οoסoטvןlוiהnחnոnօo౦o೦o๐oɔc०o০o੦oഠo"  # rings and strokes of other scripts
)

LOOKALIKES = {ord(other): latin for other, latin in zip(_PAIRS[::2], _PAIRS[1::2], strict=True)}
"""For `str.translate`."""

CONFUSABLE = re.compile("[" + "".join(chr(code) for code in LOOKALIKES) + "]")
