"""The Payment MS as it answers, with the ways of the public one."""
