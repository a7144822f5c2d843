"""What follows an order: its invoice as PDF and the confirmation to its customer.

Imported where it is done: making a PDF takes as long as placing the order.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from orders.models import Confirmation, Invoice, Order, OrderLine

_STYLES = getSampleStyleSheet()
_GRID = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
        ("LINEABOVE", (0, -1), (-1, -1), 0.8, colors.black),
        ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ("FONT", (0, 0), (-1, 0), "Helvetica-Bold"),
        ("FONT", (0, -1), (-1, -1), "Helvetica-Bold"),
    ]
)


def confirm_order(order: int) -> None:
    """Make the invoice and the confirmation of an order; where there are some already, nothing is added.

    The database's own constraint holds an order to one of each. The confirmation is
    kept to be sent: this shop has no mail server.
    """
    placed = Order.objects.select_related("customer").get(pk=order)
    lines = list(placed.lines.select_related("product").order_by("pk"))
    invoice = Invoice(
        order=placed,
        number=f"{placed.placed_at:%Y}-{placed.pk:08d}",
        issued_on=placed.placed_at.date(),
        document=document(placed, lines),
    )
    Invoice.objects.bulk_create([invoice], ignore_conflicts=True)
    confirmation = Confirmation(
        order=placed,
        recipient=placed.customer.email,
        subject=f"Your order {placed.pk}",
        text=message(placed, lines),
    )
    Confirmation.objects.bulk_create([confirmation], ignore_conflicts=True)


def message(order: Order, lines: Sequence[OrderLine]) -> str:
    """Return the text that the customer gets."""
    bought = "\n".join(f"  {line.quantity} x {line.product.name}, {line.unit_price} each" for line in lines)
    return (
        f"Dear {order.customer.name},\n\nthank you for your order {order.pk}:\n\n{bought}\n\n"
        f"Total: {order.total}\n\nThe invoice is attached.\n"
    )


def document(order: Order, lines: Sequence[OrderLine]) -> bytes:
    """Return the invoice as PDF: the same bytes for the same order on the same day."""
    rows = [("Product", "Pieces", "Price", "Amount")]
    rows += [
        (line.product.name[:60], str(line.quantity), str(line.unit_price), str(_amount(line)))
        for line in lines
    ]
    rows.append(("Total", "", "", str(order.total)))
    whom = f"{escape(order.customer.name)}, {escape(order.customer.country)}"
    written = io.BytesIO()
    SimpleDocTemplate(written, pagesize=A4, invariant=1, title=f"Invoice {order.pk}").build(
        [
            Paragraph(f"Invoice for order {order.pk}", _STYLES["Title"]),
            Paragraph(f"{whom}<br/>{order.placed_at:%d %B %Y}", _STYLES["Normal"]),
            Spacer(0, 24),
            Table(rows, colWidths=(280, 50, 70, 70), style=_GRID, repeatRows=1),
        ]
    )
    return written.getvalue()


def _amount(line: OrderLine) -> Decimal:
    return line.unit_price * line.quantity
