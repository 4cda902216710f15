"""What search engines may read of the plans: schema.org Product with Offer, and FAQPage (https://schema.org)."""

from decimal import Decimal

from catalog import Catalog, Interval
from money import minor_digits
from ui.page.context import JsonLd, PageContext


def products(context: PageContext, catalog: Catalog) -> tuple[JsonLd, ...]:
    """Return a Product for each plan that has a price, with an Offer for each price."""
    settings = context.settings
    address = f"{settings.public_url}/pricing"
    return tuple(
        {
            "@context": "https://schema.org",
            "@type": "Product",
            "name": f"{settings.brand_name} {context.text(plan.name)}",
            "description": context.text(plan.tagline),
            "brand": {"@type": "Brand", "name": settings.brand_name},
            "offers": [
                {
                    "@type": "Offer",
                    "url": address,
                    "price": str(Decimal(price.amount).scaleb(-minor_digits(price.currency))),
                    "priceCurrency": price.currency.upper(),
                    "availability": f"https://schema.org/{'InStock' if settings.selling else 'OutOfStock'}",
                    "priceSpecification": {
                        "@type": "UnitPriceSpecification",
                        "price": str(Decimal(price.amount).scaleb(-minor_digits(price.currency))),
                        "priceCurrency": price.currency.upper(),
                        **_tax(catalog),
                        "referenceQuantity": {
                            "@type": "QuantitativeValue",
                            "value": 1,
                            "unitCode": "ANN" if price.interval is Interval.YEAR else "MON",
                        },
                    },
                }
                for price in plan.offered.values()
            ],
        }
        for plan in catalog.on_sale
        if plan.offered
    )


def _tax(catalog: Catalog) -> JsonLd:
    """Return whether prices include tax, where the operator says so."""
    return {} if catalog.tax is None else {"valueAddedTaxIncluded": catalog.tax != "added"}


def answers(context: PageContext, catalog: Catalog) -> JsonLd:
    """Return the questions and answers as an FAQPage."""
    return {
        "@context": "https://schema.org",
        "@type": "FAQPage",
        "mainEntity": [
            {
                "@type": "Question",
                "name": context.text(question.q),
                "acceptedAnswer": {"@type": "Answer", "text": context.text(question.a)},
            }
            for question in catalog.questions
        ],
    }
