# SPDX-License-Identifier: Apache-2.0
"""Classifiers: none is built yet; each says so by name when it is made."""

from __future__ import annotations

from nbaspark.ml.absent import absent

__getattr__ = absent(
    __name__,
    """LinearSVC LinearSVCModel LinearSVCSummary LinearSVCTrainingSummary LogisticRegression
    LogisticRegressionModel LogisticRegressionSummary LogisticRegressionTrainingSummary
    BinaryLogisticRegressionSummary BinaryLogisticRegressionTrainingSummary
    DecisionTreeClassifier DecisionTreeClassificationModel GBTClassifier
    GBTClassificationModel RandomForestClassifier RandomForestClassificationModel
    RandomForestClassificationSummary RandomForestClassificationTrainingSummary
    BinaryRandomForestClassificationSummary BinaryRandomForestClassificationTrainingSummary
    NaiveBayes NaiveBayesModel MultilayerPerceptronClassifier
    MultilayerPerceptronClassificationModel MultilayerPerceptronClassificationSummary
    MultilayerPerceptronClassificationTrainingSummary OneVsRest OneVsRestModel FMClassifier
    FMClassificationModel FMClassificationSummary FMClassificationTrainingSummary""",
)
