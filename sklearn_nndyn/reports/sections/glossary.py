"""What the words mean."""

from sklearn_nndyn.reports._blocks import Section, Terms
from sklearn_nndyn.reports._glossary import GLOSSARY


def section(material):
    """All of them, in the order of the alphabet."""
    return Section(key="glossary", title="Glossary", blocks=[Terms(pairs=list(GLOSSARY.items()))])
