"""The second version of the Payment MS's contract: what a service may tell and take beyond the first, all optional.

`features` says which of it a service has, told in its `/health`; the rest are the typed records of what it then tells.
`docs/contract.md` has the wire. A field that can't be read is not told: it never spoils the answer that it stands in.
"""
