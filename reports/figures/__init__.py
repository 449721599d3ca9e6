"""Pictures: matplotlib figures made into small SVG that follows the page's colours. Same numbers, same bytes."""
