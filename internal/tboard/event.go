package tboard

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of event.proto, summary.proto, tensor.proto and tensor_shape.proto.
const (
	eventWallTime    = 1 // double, seconds since 1970
	eventStep        = 2 // int64
	eventFileVersion = 3 // string
	eventSummary     = 5 // Summary
	eventSessionLog  = 7 // SessionLog

	summaryItem = 1 // repeated Summary.Value

	valueTag      = 1 // string
	valueSimple   = 2 // float
	valueImage    = 4 // Summary.Image
	valueTensor   = 8 // TensorProto
	valueMetadata = 9 // SummaryMetadata

	imageHeight     = 1 // int32
	imageWidth      = 2 // int32
	imageColorspace = 3 // int32: channels
	imageEncoded    = 4 // bytes

	metadataPlugin = 1 // PluginData
	pluginName     = 1 // string

	tensorDType  = 1 // DataType
	tensorShape  = 2 // TensorShapeProto
	tensorString = 8 // repeated bytes
	shapeDim     = 2 // repeated Dim
	dimSize      = 1 // int64
	typeString   = 7 // DT_STRING

	sessionStatus = 1 // SessionLog.SessionStatus
	sessionStart  = 1 // START
)

// message is a protocol buffer under construction.
type message []byte

func (m message) varint(field protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), v)
}

func (m message) bytes(field protowire.Number, v []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), v)
}

func (m message) text(field protowire.Number, v string) message { return m.bytes(field, []byte(v)) }

func (m message) float(field protowire.Number, v float32) message {
	return protowire.AppendFixed32(protowire.AppendTag(m, field, protowire.Fixed32Type), math.Float32bits(v))
}

func (m message) double(field protowire.Number, v float64) message {
	return protowire.AppendFixed64(protowire.AppendTag(m, field, protowire.Fixed64Type), math.Float64bits(v))
}

// event starts an Event of a step, with the present time.
func event(step int) message {
	seconds := float64(time.Now().UnixMicro()) / 1e6
	return message(nil).double(eventWallTime, seconds).varint(eventStep, uint64(step))
}

// versionEvent is the first event of each file.
func versionEvent() message { return event(0).text(eventFileVersion, "brain.Event:2") }

// restartEvent makes TensorBoard forget what it has read of this step and later ones.
func restartEvent(step int) message {
	return event(step).bytes(eventSessionLog, message(nil).varint(sessionStatus, sessionStart))
}

func summaryEvent(step int, value message) message {
	return event(step).bytes(eventSummary, message(nil).bytes(summaryItem, value))
}

func scalarValue(tag string, v float64) message {
	return message(nil).text(valueTag, tag).float(valueSimple, float32(v))
}

func imageValue(tag string, file []byte) (message, error) {
	config, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	channels, err := channelsOf(config.ColorModel)
	if err != nil {
		return nil, err
	}
	image := message(nil).
		varint(imageHeight, uint64(config.Height)).
		varint(imageWidth, uint64(config.Width)).
		varint(imageColorspace, channels).
		bytes(imageEncoded, file)
	return message(nil).text(valueTag, tag).bytes(valueImage, image), nil
}

// channelsOf returns TensorFlow's number for a colour model: 1 grey, 3 RGB, 4 RGBA.
func channelsOf(model color.Model) (uint64, error) {
	switch model {
	case color.GrayModel, color.Gray16Model:
		return 1, nil
	case color.RGBAModel, color.RGBA64Model: // PNG without transparency
		return 3, nil
	case color.NRGBAModel, color.NRGBA64Model:
		return 4, nil
	}
	if _, ok := model.(color.Palette); ok {
		return 3, nil
	}
	return 0, fmt.Errorf("unknown colour model %v", model)
}

// textValue is a string tensor of shape (1) for the text plugin.
func textValue(tag, markdown string) message {
	shape := message(nil).bytes(shapeDim, message(nil).varint(dimSize, 1))
	tensor := message(nil).
		varint(tensorDType, typeString).
		bytes(tensorShape, shape).
		text(tensorString, markdown)
	plugin := message(nil).text(pluginName, "text")
	return message(nil).
		text(valueTag, tag).
		bytes(valueTensor, tensor).
		bytes(valueMetadata, message(nil).bytes(metadataPlugin, plugin))
}
