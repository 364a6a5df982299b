"""The tabs of the page, a file each: what it shows, and what its part of the browser may ask."""
