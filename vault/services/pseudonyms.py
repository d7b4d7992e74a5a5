"""Pseudonyms: a case's spoken name, such as `amber-heron-41`.

Two words and a number are drawn at random: the name says nothing about the person, the date or the order of cases, can
be said over a bad line, and is typed in plain ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from vault.model import Pseudonym
from vault.ports import Randomness, draw_below

FIRST: Final = tuple(
    """amber ashen autumn azure basalt birch bold brass bright bronze calm candid cedar chalk clear clever cloudy
    cobalt copper coral crimson crisp dapple dawn deep dusky eager early ebony elder ember even fern fleet flint fond
    free fresh frost gentle ginger glad golden granite green hazel hearty honest honey humble indigo ivory jade jolly
    keen kind lavender level light lilac linen lively loyal lucid lunar maple marble meadow mellow mild mint misty
    modest moss neat nimble noble north oaken ochre olive onyx open opal patient pearl pine plain plum polar proud
    quartz quick quiet rapid ready river robin rosy ruby russet rustic sable saffron sage sandy sharp silent silver
    simple sky slate smooth snowy solar spruce stable steady still stone sunny swift tawny teal tender tidal topaz true
    umber velvet violet vivid warm wheat willow windy winter wise zesty""".split()  # noqa: SIM905  # a list of 120 quoted words reads worse
)
SECOND: Final = tuple(
    """adder alpaca antelope badger beaver bison bittern bobcat buffalo bunting camel caribou carp cheetah cicada civet
    condor cormorant cougar coyote crane cricket curlew deer dolphin donkey dove dragonfly duck dunlin eagle egret eider
    elk ermine falcon ferret finch firefly flamingo fox gannet gazelle gecko gibbon goose grebe grouse gull hare hawk
    hedgehog heron hornbill horse ibex ibis impala jackdaw jaguar jay kestrel kingfisher kite koala lapwing lark lemur
    leopard linnet lizard llama loon lynx macaw magpie mallard marmot marten merlin mink moose moth narwhal newt
    nightjar ocelot oriole osprey otter owl oyster panda panther partridge peacock pelican petrel pheasant pigeon pika
    pipit plover puffin puma quail rabbit raccoon raven redstart reindeer rook salmon sandpiper seal serval shrew
    siskin skylark snipe sparrow squirrel starling stoat stork sturgeon swallow swan swift tapir teal tern thrush tiger
    toucan trout turtle vole wagtail walrus warbler weasel whale wigeon wolf wombat woodcock wren yak zebra""".split()  # noqa: SIM905  # likewise
)
NUMBERS: Final = range(10, 100)


_GRAMMAR: Final = re.compile(r"[a-z]{1,20}-[a-z]{1,20}-[0-9]{2}(-[0-9]{1,4})?")


def is_pseudonym(text: str) -> bool:
    """Whether a text has a pseudonym's form: two words and a number, in plain ASCII, and perhaps a further number by
    which an index of cases told two of one name apart. (The words are not compared with the lists: those may grow.)"""
    return _GRAMMAR.fullmatch(text) is not None


def draw_pseudonym(random: Randomness, taken: Container[str]) -> Pseudonym:
    """A pseudonym that is not in `taken`, uniformly drawn from about two million."""
    while True:
        first = FIRST[draw_below(random, len(FIRST))]
        second = SECOND[draw_below(random, len(SECOND))]
        number = NUMBERS[draw_below(random, len(NUMBERS))]
        name = Pseudonym(f"{first}-{second}-{number}")
        if name not in taken:
            return name
