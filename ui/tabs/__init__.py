"""The page's tabs, one file each: what the tab shows, and the requests that its part of the browser may make."""
