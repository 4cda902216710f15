"""Everything that leans on NiceGUI's inside. Each module says which release it was written against, and why it is
there.

Speed: `packed_element`, `template`, `first_paint`, `collector` (each optional: `optimizations`, `self_test`). Pages:
`html`, `full_document`, `light_page`, `drawn_page`, `page_views`, `browser_events`. Safety: `socket_guard`,
`page_policy`.
"""
