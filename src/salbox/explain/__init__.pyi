from .dissection import dissect as dissect
from .explanation import Explanation as Explanation
from .overlap import ious as ious
from .pipeline import STEPS as STEPS
from .pipeline import explain as explain
from .quantiles import StreamingQuantile as StreamingQuantile
