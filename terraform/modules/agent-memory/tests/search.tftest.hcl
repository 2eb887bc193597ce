mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name = "memory"
  artifact = {
    path          = "tests/artifact.zip" # never opened
    sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    sql_sha256    = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  }
}

run "words_are_english_unless_told_otherwise" {
  command = plan

  assert {
    condition     = alltrue([for name in ["semantic", "unified", "knowledge"] : local._database_functions[name].environment.SEARCH_LANGUAGE == "english"])
    error_message = "Functions that store and search must agree on the language."
  }
}

run "functions_that_store_and_search_are_told_the_language" {
  command = plan

  variables {
    search = { language = "german" }
  }

  assert {
    condition     = alltrue([for name in ["semantic", "unified", "knowledge"] : local._database_functions[name].environment.SEARCH_LANGUAGE == "german"])
    error_message = "Functions that store and search must agree on the language."
  }
}

run "a_language_that_nobody_knows_is_refused" {
  command         = plan
  expect_failures = [var.search]

  variables {
    search = { language = "German" }
  }
}

run "a_thousandth_of_the_searches_is_checked_unless_told_otherwise" {
  command = plan

  assert {
    condition     = local._database_functions["semantic"].environment.SEARCH_CHECK_SHARE == "0.001"
    error_message = "The function that searches must check some of it."
  }
}

run "more_than_all_searches_cannot_be_checked" {
  command         = plan
  expect_failures = [var.search]

  variables {
    search = { check_share = 1.5 }
  }
}
