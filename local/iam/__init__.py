"""IAM on one machine: an evaluator of policies, and a proxy before AWS's stand-ins that enforces them.

The stand-in's own enforcement knows neither policy variables nor `dynamodb:LeadingKeys`, and the stand-ins of Bedrock
and of the Data API know no IAM at all. Which part shows what: docs/iam-proof.md.
"""
