"""Print what TensorBoard reads from a folder of event files (pip install tensorboard)."""
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator, STORE_EVERYTHING_SIZE_GUIDANCE

acc = EventAccumulator(sys.argv[1], size_guidance=STORE_EVERYTHING_SIZE_GUIDANCE)
acc.Reload()
tags = acc.Tags()
for tag in tags["scalars"]:
    print("scalar", tag, [(e.step, e.value) for e in acc.Scalars(tag)])
for tag in tags["images"]:
    for e in acc.Images(tag):
        print("image", tag, e.step, e.width, e.height, e.encoded_image_string[:4] == b"\x89PNG")
for tag in tags["tensors"]:
    for e in acc.Tensors(tag):
        plugin = acc.SummaryMetadata(tag).plugin_data.plugin_name
        print("tensor", tag, e.step, plugin, e.tensor_proto.string_val[0].decode())
