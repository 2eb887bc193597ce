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


run "functions_that_embed_are_told_model_dimensions_and_length_of_pieces" {
  command = plan

  variables {
    embedding = { dimensions = 512, chunk_tokens = 400 }
  }

  assert {
    condition = alltrue([
      for name in ["ingest", "knowledge", "semantic", "unified"] : {
        for key, value in local._database_functions[name].environment : key => value if startswith(key, "EMBEDDING_")
        } == {
        EMBEDDING_MODEL        = "amazon.titan-embed-text-v2:0"
        EMBEDDING_DIMENSIONS   = "512"
        EMBEDDING_CHUNK_TOKENS = "400"
        EMBEDDING_TIMEOUT_S    = "18"
      }
    ])
    error_message = "What is left out must be the default, and all functions must agree."
  }
}

run "functions_that_embed_call_one_model_and_no_other_function_calls_any" {
  command = plan

  variables {
    embedding = { model_id = "amazon.titan-embed-text-v2:0" }
  }

  assert {
    condition = {
      for name, f in merge(local._plain_functions, local._database_functions) : name => [
        for s in f.policy : s if anytrue([for a in s.actions : startswith(a, "bedrock")])
      ] if anytrue(flatten([for s in f.policy : [for a in s.actions : startswith(a, "bedrock")]]))
      } == {
      for name in ["ingest", "knowledge", "semantic", "unified"] : name => [
        { actions = ["bedrock:InvokeModel"], resources = ["arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan-embed-text-v2:0"] }
      ]
    }
    error_message = "These must be able to embed with the model of the deployment."
  }
}

run "functions_are_told_of_the_next_model_and_may_call_it" {
  command = plan

  variables {
    embedding = { next = { model_id = "amazon.titan-embed-text-v2:1", dimensions = 512 } }
  }

  assert {
    condition = alltrue([
      for name in ["ingest", "knowledge", "semantic", "unified"] : {
        for key, value in local._database_functions[name].environment : key => value if startswith(key, "EMBEDDING_NEXT_")
      } == { EMBEDDING_NEXT_MODEL = "amazon.titan-embed-text-v2:1", EMBEDDING_NEXT_DIMENSIONS = "512" }
    ])
    error_message = "Functions must know the next model."
  }

  assert {
    condition = alltrue([
      for name in ["ingest", "knowledge", "semantic", "unified"] : local._database_functions[name].policy.Embed.resources == [
        "arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan-embed-text-v2:0",
        "arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan-embed-text-v2:1",
      ]
    ])
    error_message = "Both models are called while one takes the place of the other."
  }
}

run "a_change_of_dimensions_alone_needs_no_other_right" {
  command = plan

  variables {
    embedding = { next = { dimensions = 256 } }
  }

  assert {
    condition     = local._embeds.Embed.resources == ["arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan-embed-text-v2:0"]
    error_message = "One model stands in the policy once."
  }
}

run "the_model_of_today_is_no_next_one" {
  command         = plan
  expect_failures = [var.embedding]

  variables {
    embedding = { next = {} }
  }
}

run "a_next_model_of_another_form_is_refused" {
  command         = plan
  expect_failures = [var.embedding]

  variables {
    embedding = { next = { model_id = "cohere.embed-multilingual-v3" } }
  }
}

run "a_model_that_the_functions_do_not_speak_to_is_refused" {
  command         = plan
  expect_failures = [var.embedding]

  variables {
    embedding = { model_id = "cohere.embed-multilingual-v3" }
  }
}

run "a_model_with_a_wildcard_is_refused" {
  command         = plan
  expect_failures = [var.embedding]

  variables {
    embedding = { model_id = "amazon.titan-embed-text-v2:*" }
  }
}

run "dimensions_that_the_model_does_not_offer_are_refused" {
  command         = plan
  expect_failures = [var.embedding]

  variables {
    embedding = { dimensions = 768 }
  }
}

run "pieces_too_short_to_be_found_are_refused" {
  command         = plan
  expect_failures = [var.embedding]

  variables {
    embedding = { chunk_tokens = 63 }
  }
}

run "pieces_longer_than_the_model_reads_are_refused" {
  command         = plan
  expect_failures = [var.embedding]

  variables {
    embedding = { chunk_tokens = 8193 }
  }
}

run "half_a_token_is_refused" {
  command         = plan
  expect_failures = [var.embedding]

  variables {
    embedding = { chunk_tokens = 256.5 }
  }
}

run "an_endless_wait_for_the_model_is_refused" {
  command         = plan
  expect_failures = [var.embedding]

  variables {
    embedding = { timeout_s = 601 }
  }
}
