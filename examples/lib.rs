//! Nothing to see here: the programs are beside this file.
