"""What plans unlock, in words: a card's lines and the comparison's cells, where the catalog says it as grants."""

from collections.abc import Collection

from catalog import Catalog, Feature, FeatureLine, Plan, Text
from catalog_entries import ComparisonGroup, ComparisonRow, Grant
from catalog_features import granted_by, is_unlimited, own_features
from ui.page.catalog_reader import CatalogReader
from ui.text.formats import number
from ui.text.i18n import _


def card_lines(
    context: CatalogReader, catalog: Catalog, plan: Plan, *, but: Collection[str] = ()
) -> tuple[FeatureLine, ...]:
    """Return the lines of a plan's card: its own, or without any a line for each feature that it grants itself.

    Features in `but` are left out: a plan that includes this one grants another measure of them.
    """
    if plan.features:
        return plan.features
    granted = [one for one in own_features(catalog, plan) if one[0].key not in but]
    return tuple(FeatureLine(text=Text(_line(context, *one))) for one in granted)


def row_name(context: CatalogReader, catalog: Catalog, row: ComparisonRow) -> str:
    """Return what stands before a row of the comparison."""
    feature = _feature(catalog, row)
    name = row.name or (feature.name if feature is not None else None)
    return context.text(name) if name is not None else ""


def row_value(context: CatalogReader, catalog: Catalog, row: ComparisonRow, plan: Plan) -> bool | str:
    """Return what a row says of a plan: whether it is included, or in which measure."""
    feature = _feature(catalog, row)
    if feature is None:
        value = row.values.get(plan.id, False)
        return value if isinstance(value, bool) else context.text(value)
    return _value(context, feature, granted_by(catalog, plan).get(feature.key, False))


def shown_groups(context: CatalogReader, catalog: Catalog) -> tuple[ComparisonGroup, ...]:
    """Return the comparison: the catalog's own, or without one a row for each feature."""
    if catalog.comparison.groups or not catalog.features:
        return catalog.comparison.groups
    rows = tuple(ComparisonRow(feature=feature.key) for feature in catalog.features)
    return (ComparisonGroup(name=Text(_("What you get")), rows=rows),)


def _feature(catalog: Catalog, row: ComparisonRow) -> Feature | None:
    return next((feature for feature in catalog.features if feature.key == row.feature), None)


def _line(context: CatalogReader, feature: Feature, grant: Grant) -> str:
    name, value = context.text(feature.name), _value(context, feature, grant)
    return name if isinstance(value, bool) else _("{feature}: {value}").format(feature=name, value=value)


def _value(context: CatalogReader, feature: Feature, grant: Grant) -> bool | str:
    if is_unlimited(grant) and feature.kind == "number":
        # Translators: value of a feature, such as the number of projects
        return _("Unlimited")
    if isinstance(grant, Text):
        return context.text(grant)
    if isinstance(grant, bool):
        return grant
    unit = f" {context.text(feature.unit)}" if feature.unit is not None else ""
    return number(grant, context.locale) + unit if grant else False
