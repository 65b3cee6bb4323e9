"""What each code of a finding means: one table, from which titles, the page of findings and a test are made."""
