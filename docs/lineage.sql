-- The four questions of lineage, from a deployed model back to its pairs and their sheet, in Databricks SQL.
-- They run as they stand on a SQL warehouse and on the local lakehouse: python manage.py sql "SELECT …"
-- Put your own ids in the place of 'training-sheet-123' and 'model-456'.

-- 1. Which models were trained on this training sheet?
SELECT model_id, model_name, model_version, trained_at, train_pair_count
FROM mirion_vital.workbench.model_training_lineage
WHERE training_sheet_id = 'training-sheet-123'
ORDER BY trained_at DESC;

-- 2. Which training sheet was this model trained on?
-- The number of labeled pairs is counted from the pairs, as it is today; train_pair_count is what the model saw.
SELECT ts.id, ts.name, COUNT(qa.id) AS labeled_pairs, ts.labeling_mode, mtl.trained_at, mtl.train_pair_count
FROM mirion_vital.workbench.model_training_lineage AS mtl
JOIN mirion_vital.workbench.training_sheets AS ts ON ts.id = mtl.training_sheet_id
LEFT JOIN mirion_vital.workbench.qa_pairs AS qa ON qa.training_sheet_id = ts.id AND qa.status = 'labeled'
WHERE mtl.model_id = 'model-456'
GROUP BY ts.id, ts.name, ts.labeling_mode, mtl.trained_at, mtl.train_pair_count
ORDER BY mtl.trained_at DESC;

-- 3. Which pairs was this model trained on?
-- The array is taken apart in a subquery: no JOIN may follow a LATERAL VIEW.
SELECT qa.id, qa.item_ref, qa.messages, qa.status, qa.quality_score
FROM (
  SELECT EXPLODE(qa_pair_ids) AS qa_pair_id
  FROM mirion_vital.workbench.model_training_lineage
  WHERE model_id = 'model-456'
) AS used
JOIN mirion_vital.workbench.qa_pairs AS qa ON qa.id = used.qa_pair_id
ORDER BY qa.position, qa.id;

-- 4. How do the models that were trained on this training sheet compare?
-- The configuration is JSON in a STRING, which every Delta reader opens. A model without an evaluation comes last.
SELECT
  mtl.model_name,
  mtl.model_version,
  mtl.train_pair_count,
  GET_JSON_OBJECT(mtl.training_config, '$.base_model') AS base_model,
  GET_JSON_OBJECT(mtl.training_config, '$.temperature') AS temperature,
  eval.accuracy,
  eval.f1_score
FROM mirion_vital.workbench.model_training_lineage AS mtl
LEFT JOIN mirion_vital.workbench.model_evaluations AS eval
  ON eval.model_id = mtl.model_id AND eval.model_version = mtl.model_version
WHERE mtl.training_sheet_id = 'training-sheet-123'
ORDER BY eval.accuracy DESC NULLS LAST, mtl.trained_at;
