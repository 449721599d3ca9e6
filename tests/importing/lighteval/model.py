"""A model that can add, mostly: how often follows from its name, and what it says from the question and the sample."""

import random
import re

from lighteval.models.abstract_model import LightevalModel
from lighteval.models.model_output import ModelResponse
from lighteval.utils.cache_management import SampleCache

SKILL = {"adder/good": 0.8, "adder/poor": 0.45}


class Adder(LightevalModel):
    def __init__(self, config):
        self.config = config
        self._cache = SampleCache(config)

    tokenizer = None
    add_special_tokens = False
    max_length = 2048

    def greedy_until(self, docs):
        return [self._answers(doc) for doc in docs]

    def _answers(self, doc):
        texts = [self._answer(doc.query, sample) for sample in range(doc.num_samples)]
        return ModelResponse(input=doc.query, text=texts, output_tokens=[list(range(len(text))) for text in texts])

    def _answer(self, query, sample):
        draw = random.Random(f"{self.config.model_name} {query} {sample}")
        total = sum(map(int, re.findall(r"\d+", query)))
        given = total if draw.random() < SKILL[self.config.model_name] else total + draw.choice((-10, -1, 1, 10))
        return f"That makes \\boxed{{{given}}}."

    def loglikelihood(self, docs):
        raise NotImplementedError

    def loglikelihood_rolling(self, docs):
        raise NotImplementedError
