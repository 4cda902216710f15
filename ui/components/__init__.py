"""A module a component: a function or small class that draws itself where it is called."""
