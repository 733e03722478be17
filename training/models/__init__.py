"""Training sheets, pairs, review, jobs, exports and training files."""

from training.models.conversations import Conversation as Conversation
from training.models.conversations import ConversationFile as ConversationFile
from training.models.conversations import FileBuild as FileBuild
from training.models.conversations import TrainingFile as TrainingFile
from training.models.conversations import TrainingFileConversation as TrainingFileConversation
from training.models.conversations import TrainingFileVersion as TrainingFileVersion
from training.models.exports import Export as Export
from training.models.exports import ExportPart as ExportPart
from training.models.exports import ModelEvaluation as ModelEvaluation
from training.models.exports import ModelTrainingLineage as ModelTrainingLineage
from training.models.exports import SheetSplit as SheetSplit
from training.models.exports import SplitItem as SplitItem
from training.models.findings import Finding as Finding
from training.models.jobs import JobRun as JobRun
from training.models.jobs import LiveJob as LiveJob
from training.models.review import ReviewAction as ReviewAction
from training.models.review import ReviewPair as ReviewPair
from training.models.review import ReviewSheet as ReviewSheet
from training.models.review import ReviewView as ReviewView
from training.models.sheets import QAPair as QAPair
from training.models.sheets import ReviewEvent as ReviewEvent
from training.models.sheets import TrainingSheet as TrainingSheet
