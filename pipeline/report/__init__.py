"""What an auditor sees of a dataset: its statistics, told in report/report.json."""
