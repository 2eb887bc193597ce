"""What AWS's documentation says that its example policies do: the page, the statement, requests and their fate."""

from dataclasses import dataclass, field
from typing import Any

DOCS = "https://docs.aws.amazon.com/"
OPERATORS = "IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"
SETS = "IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html"
SET_EXAMPLES = "IAM/latest/UserGuide/reference_policies_condition_examples-multi-valued-context-keys.html"
LOGIC = "IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html"
VARIABLES = "IAM/latest/UserGuide/reference_policies_variables.html"
EVALUATION = "IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html"
SESSION_POLICIES = "IAM/latest/UserGuide/access_policies.html"
SESSION_TAGS = "IAM/latest/UserGuide/id_session-tags.html"
ELEMENTS = "IAM/latest/UserGuide/reference_policies_elements"
LEADING_KEYS = "amazondynamodb/latest/developerguide/specifying-conditions.html"
S3_KEYS = "AmazonS3/latest/userguide/amazon-s3-policy-keys.html"

Given = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One expectation, in our words; `limits` are session policies or a boundary."""

    page: str
    says: str
    allowed: bool
    action: str
    resource: str
    statements: list[Given]
    given: Given = field(default_factory=dict)
    limits: list[list[Given]] = field(default_factory=list)

    def __str__(self) -> str:
        return self.says


def allow(action: str | list[str], resource: str | list[str] = "*", **condition: Given) -> Given:
    return {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": _operators(condition)}


def deny(action: str | list[str], resource: str | list[str] = "*", **condition: Given) -> Given:
    return allow(action, resource, **condition) | {"Effect": "Deny"}


def _operators(condition: dict[str, Given]) -> Given:
    return {name.replace("__", ":"): keys for name, keys in condition.items()}


TAG_JOB = [allow("iam:*", StringEquals={"aws:PrincipalTag/job-category": "iamuser-admin"})]
INSTANCE = [allow("ec2:RunInstances", StringLikeIfExists={"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]})]
TRAIL = [allow("sns:Publish", ArnLike={"aws:SourceArn": "arn:aws:cloudtrail:*:111122223333:trail/finance-*"})]
TEMPORARY = [deny("s3:*", Null={"aws:TokenIssueTime": "true"}), allow("s3:*")]
TLS = [allow("s3:*"), deny("s3:*", Bool={"aws:SecureTransport": "false"})]
TAG_KEYS = [allow("ec2:CreateTags", ForAllValues__StringEquals={"aws:TagKeys": ["environment", "cost-center"]})]
TAG_KEYS_GUARDED = [
    allow(
        "ec2:CreateTags",
        ForAllValues__StringEquals={"aws:TagKeys": ["environment", "cost-center"]},
        Null={"aws:TagKeys": "false"},
    )
]
ANY_TAG_KEY = [allow("ec2:CreateTags", ForAnyValue__StringEquals={"aws:TagKeys": "environment"})]
DENY_ALL = [allow("iam:Tag*"), deny("iam:Tag*", ForAllValues__StringLike={"aws:TagKeys": "key1*"})]
DENY_ALL_GUARDED = [
    allow("iam:Tag*"),
    deny("iam:Tag*", ForAllValues__StringLike={"aws:TagKeys": "key1*"}, Null={"aws:TagKeys": "false"}),
]
DENY_ANY = [allow("iam:Tag*"), deny("iam:Tag*", ForAnyValue__StringLike={"aws:TagKeys": "key1*"})]
LOGICAL = [
    allow(
        "s3:*",
        StringEquals={"aws:PrincipalTag/department": ["finance", "hr"], "aws:PrincipalTag/role": "audit"},
        ArnLike={"aws:SourceArn": "arn:aws:sns:*:*:*"},
    )
]
NEGATED = [allow("s3:*", StringNotEquals={"aws:PrincipalTag/department": ["finance", "hr"]})]
BOTH = {"aws:PrincipalTag/department": "hr", "aws:PrincipalTag/role": "audit", "aws:SourceArn": "arn:aws:sns:a:1:t"}
HOME = [
    allow(
        "s3:ListBucket", "arn:aws:s3:::bucket", StringLike={"s3:prefix": ["", "home/", "home/${aws:PrincipalTag/u}/*"]}
    ),
    allow("s3:*", "arn:aws:s3:::bucket/home/${aws:PrincipalTag/u}/*"),
]
TEAM = [allow("s3:GetObject", "arn:aws:s3:::bucket/${aws:PrincipalTag/team, 'company-wide'}/*")]
STAR = [allow("s3:GetObject", "arn:aws:s3:::bucket/${*}.txt")]
PROJECTS = [allow("s3:ListBucket", "arn:aws:s3:::bucket", StringEquals={"s3:prefix": "projects"})]
ONLY_PROJECTS = [allow("s3:ListBucket"), deny("s3:ListBucket", StringNotEquals={"s3:prefix": "projects"})]
SCORES = "arn:aws:dynamodb:us-west-2:123456789012:table/GameScores"
OWN = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:BatchWriteItem"]
OWN_SCORES = [allow(OWN, SCORES, ForAllValues__StringEquals={"dynamodb:LeadingKeys": ["${www.amazon.com:user_id}"]})]
WITH_SCAN = [allow("dynamodb:*", SCORES, ForAllValues__StringEquals={"dynamodb:LeadingKeys": ["me"]})]
ME, THEM = {"www.amazon.com:user_id": "me"}, "them"
PAYROLL = "arn:aws:s3:::bucket/payroll"
NOT_ACTION = [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]
NOT_RESOURCE = [
    allow("s3:*"),
    {"Effect": "Deny", "Action": "s3:*", "NotResource": [PAYROLL, f"{PAYROLL}/*"]},
]
TAGGED = {"aws:TagKeys": ["environment"]}
LEAD = "dynamodb:LeadingKeys"

CASES = [
    Case(OPERATORS, "a tag that equals lets in", True, "iam:GetUser", "*", TAG_JOB, {
        "aws:PrincipalTag/job-category": "iamuser-admin"}),
    Case(OPERATORS, "StringEquals minds the case", False, "iam:GetUser", "*", TAG_JOB, {
        "aws:PrincipalTag/job-category": "IAMuser-admin"}),
    Case(OPERATORS, "a key that is absent equals nothing", False, "iam:GetUser", "*", TAG_JOB),
    Case(OPERATORS, "names of keys are the same in any case", True, "iam:GetUser", "*", TAG_JOB, {
        "AWS:principaltag/Job-Category": "iamuser-admin"}),
    Case(OPERATORS, "IfExists: a key that is there has to match", False, "ec2:RunInstances", "*", INSTANCE, {
        "ec2:InstanceType": "c4.large"}),
    Case(OPERATORS, "IfExists: one that is not may be missing", True, "ec2:RunInstances", "*", INSTANCE),
    Case(OPERATORS, "StringLike: a star is any text", True, "ec2:RunInstances", "*", INSTANCE, {
        "ec2:InstanceType": "t2.micro"}),
    Case(OPERATORS, "ArnLike compares part by part", True, "sns:Publish", "*", TRAIL, {
        "aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/finance-1"}),
    Case(OPERATORS, "ArnLike: a star does not reach into the next part", False, "sns:Publish", "*", TRAIL, {
        "aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:999999999999:x:111122223333:trail/finance-1"}),
    Case(OPERATORS, "Null true: the key must be absent", False, "s3:GetObject", "*", TEMPORARY),
    Case(OPERATORS, "Null true: a key that is there is no match", True, "s3:GetObject", "*", TEMPORARY, {
        "aws:TokenIssueTime": "2026-01-01T00:00:00Z"}),
    Case(OPERATORS, "Bool false matches false", False, "s3:GetObject", "*", TLS, {"aws:SecureTransport": "false"}),
    Case(OPERATORS, "Bool false does not match true", True, "s3:GetObject", "*", TLS, {"aws:SecureTransport": "true"}),
    Case(OPERATORS, "a negated operator holds for a key that is absent", True, "s3:GetObject", "*", NEGATED),
    Case(SETS, "ForAllValues: every value is among those listed", True, "ec2:CreateTags", "*", TAG_KEYS, TAGGED),
    Case(SETS, "ForAllValues: one that is not spoils it", False, "ec2:CreateTags", "*", TAG_KEYS, {
        "aws:TagKeys": ["environment", "owner"]}),
    Case(SETS, "ForAllValues holds when there is no value at all", True, "ec2:CreateTags", "*", TAG_KEYS),
    Case(SETS, "Null false beside it asks for a value", False, "ec2:CreateTags", "*", TAG_KEYS_GUARDED),
    Case(SETS, "and is content with one", True, "ec2:CreateTags", "*", TAG_KEYS_GUARDED, TAGGED),
    Case(SETS, "ForAnyValue: one value that matches will do", True, "ec2:CreateTags", "*", ANY_TAG_KEY, {
        "aws:TagKeys": ["owner", "environment"]}),
    Case(SETS, "ForAnyValue does not hold without a value", False, "ec2:CreateTags", "*", ANY_TAG_KEY),
    Case(SET_EXAMPLES, "deny if all begin so: all do", False, "iam:TagRole", "*", DENY_ALL, {
        "aws:TagKeys": ["key1", "key1b"]}),
    Case(SET_EXAMPLES, "deny if all begin so: one does not", True, "iam:TagRole", "*", DENY_ALL, {
        "aws:TagKeys": ["key1", "key2"]}),
    Case(SET_EXAMPLES, "deny if all begin so: no keys count as all", False, "iam:TagRole", "*", DENY_ALL),
    Case(SET_EXAMPLES, "unless Null false stands beside it", True, "iam:TagRole", "*", DENY_ALL_GUARDED),
    Case(SET_EXAMPLES, "deny if any begins so: one does", False, "iam:TagRole", "*", DENY_ANY, {
        "aws:TagKeys": ["key1", "key2"]}),
    Case(SET_EXAMPLES, "deny if any begins so: no keys, no deny", True, "iam:TagRole", "*", DENY_ANY),
    Case(LOGIC, "values are alternatives, keys and operators all have to hold", True, "s3:GetObject",
         "*", LOGICAL, BOTH),
    Case(LOGIC, "one key of two is not enough", False, "s3:GetObject", "*", LOGICAL, BOTH | {
        "aws:PrincipalTag/role": "intern"}),
    Case(LOGIC, "one operator of two is not enough", False, "s3:GetObject", "*", LOGICAL, BOTH | {
        "aws:SourceArn": "arn:aws:sqs:a:1:q"}),
    Case(LOGIC, "a negated operator means none of its values", False, "s3:GetObject", "*", NEGATED, {
        "aws:PrincipalTag/department": "hr"}),
    Case(VARIABLES, "a variable stands for the caller's own", True, "s3:GetObject",
         "arn:aws:s3:::bucket/home/bo/x", HOME, {
        "aws:PrincipalTag/u": "bo"}),
    Case(VARIABLES, "and for nobody else's", False, "s3:GetObject", "arn:aws:s3:::bucket/home/al/x", HOME, {
        "aws:PrincipalTag/u": "bo"}),
    Case(VARIABLES, "a variable without a value makes the statement void", False, "s3:GetObject",
         "arn:aws:s3:::bucket/home//x", HOME),
    Case(VARIABLES, "the prefix of a listing: own folder", True, "s3:ListBucket", "arn:aws:s3:::bucket", HOME, {
        "aws:PrincipalTag/u": "bo", "s3:prefix": "home/bo/2026"}),
    Case(VARIABLES, "the prefix of a listing: another's folder", False, "s3:ListBucket", "arn:aws:s3:::bucket", HOME, {
        "aws:PrincipalTag/u": "bo", "s3:prefix": "home/al/"}),
    Case(VARIABLES, "a default stands in for a tag that is absent", True, "s3:GetObject",
         "arn:aws:s3:::bucket/company-wide/x", TEAM),
    Case(VARIABLES, "and for none that is there", False, "s3:GetObject", "arn:aws:s3:::bucket/company-wide/x", TEAM, {
        "aws:PrincipalTag/team": "yellow"}),
    Case(VARIABLES, "a star in braces is a star", False, "s3:GetObject", "arn:aws:s3:::bucket/a.txt", STAR),
    Case(VARIABLES, "and matches one", True, "s3:GetObject", "arn:aws:s3:::bucket/*.txt", STAR),
    Case(EVALUATION, "what nobody allows is denied", False, "s3:GetObject", "*", [allow("s3:PutObject")]),
    Case(EVALUATION, "an explicit deny wins over any allow", False, "s3:GetObject", "*", [allow("*"), deny("s3:Get*")]),
    Case(SESSION_POLICIES, "a session has what both its role and its policy allow", True, "s3:GetObject", "*", [
        allow("s3:*")], limits=[[allow("s3:GetObject")]]),
    Case(SESSION_POLICIES, "not what only the role allows", False, "s3:PutObject", "*", [
        allow("s3:*")], limits=[[allow("s3:GetObject")]]),
    Case(SESSION_POLICIES, "nor what only the session's policy allows", False, "sqs:SendMessage", "*", [
        allow("s3:*")], limits=[[allow("*")]]),
    Case(SESSION_POLICIES, "a boundary grants nothing either", False, "iam:CreateUser", "*", [
        allow("iam:CreateUser")], limits=[[allow(["s3:*", "ec2:*"])]]),
    Case(LEADING_KEYS, "own items", True, "dynamodb:GetItem", SCORES, OWN_SCORES, ME | {LEAD: "me"}),
    Case(LEADING_KEYS, "another's item", False, "dynamodb:GetItem", SCORES, OWN_SCORES, ME | {LEAD: THEM}),
    Case(LEADING_KEYS, "a batch of own items", True, "dynamodb:BatchWriteItem", SCORES, OWN_SCORES, ME | {
        LEAD: ["me", "me"]}),
    Case(LEADING_KEYS, "a batch with one item of another's", False, "dynamodb:BatchWriteItem",
         SCORES, OWN_SCORES, ME | {
        LEAD: ["me", THEM]}),
    Case(LEADING_KEYS, "Scan is not among the actions", False, "dynamodb:Scan", SCORES, OWN_SCORES, ME),
    Case(LEADING_KEYS, "and must not be: it has no leading keys to compare", True, "dynamodb:Scan", SCORES, WITH_SCAN),
    Case(LEADING_KEYS, "an index is a resource of its own", False, "dynamodb:Query",
         f"{SCORES}/index/by", OWN_SCORES, ME | {
        LEAD: "me"}),
    Case(S3_KEYS, "listing with the prefix that is asked for", True, "s3:ListBucket", "arn:aws:s3:::bucket", PROJECTS, {
        "s3:prefix": "projects"}),
    Case(S3_KEYS, "listing without one", False, "s3:ListBucket", "arn:aws:s3:::bucket", PROJECTS),
    Case(S3_KEYS, "deny unless that prefix: another one", False, "s3:ListBucket",
         "arn:aws:s3:::bucket", ONLY_PROJECTS, {
        "s3:prefix": "private"}),
    Case(S3_KEYS, "deny unless that prefix: none", False, "s3:ListBucket", "arn:aws:s3:::bucket", ONLY_PROJECTS),
    Case(f"{ELEMENTS}_notaction.html", "NotAction with Allow: all others", True, "s3:GetObject", "*", NOT_ACTION),
    Case(f"{ELEMENTS}_notaction.html", "NotAction with Allow: not this one", False, "iam:GetUser", "*", NOT_ACTION),
    Case(f"{ELEMENTS}_notresource.html", "NotResource with Deny: what is named stays", True, "s3:GetObject",
         f"{PAYROLL}/a", NOT_RESOURCE),
    Case(f"{ELEMENTS}_notresource.html", "NotResource with Deny: all else goes", False, "s3:GetObject",
         "arn:aws:s3:::bucket/other", NOT_RESOURCE),
    Case(f"{ELEMENTS}_action.html", "actions are the same in any case", True, "s3:GetObject",
         "*", [allow("S3:getobject")]),
    Case(f"{ELEMENTS}_resource.html", "a question mark is one letter", False, "s3:GetObject",
         "arn:aws:s3:::bucket/ab", [
        allow("s3:*", "arn:aws:s3:::bucket/?")]),
    Case(f"{ELEMENTS}_resource.html", "a star does not reach over a colon", False, "dynamodb:GetItem", SCORES, [
        allow("*", "arn:aws:*:table/GameScores")]),
]  # fmt: skip
