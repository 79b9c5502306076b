package torchfile

// Instructions of the pickle machine that a checkpoint needs; Python's pickletools describes them.
const (
	opMark        = '('
	opStop        = '.'
	opProto       = 0x80
	opFrame       = 0x95 // protocol 4: how many bytes follow
	opNone        = 'N'
	opTrue        = 0x88
	opFalse       = 0x89
	opInt         = 'J' // 4 bytes, signed
	opInt1        = 'K'
	opInt2        = 'M'
	opLong1       = 0x8a
	opFloat       = 'G'
	opUnicode     = 'X'
	opUnicode1    = 0x8c
	opUnicode8    = 0x8d
	opString      = 'T' // of Python 2
	opString1     = 'U'
	opBytes       = 'B'
	opBytes1      = 'C'
	opBytes8      = 0x8e
	opByteArray   = 0x96
	opEmptyDict   = '}'
	opEmptyList   = ']'
	opEmptyTuple  = ')'
	opEmptySet    = 0x8f
	opFrozenSet   = 0x91
	opTuple       = 't'
	opTuple1      = 0x85
	opTuple2      = 0x86
	opTuple3      = 0x87
	opAppend      = 'a'
	opAppends     = 'e'
	opSetItem     = 's'
	opSetItems    = 'u'
	opAddItems    = 0x90
	opPut         = 'q'
	opPutLong     = 'r'
	opGet         = 'h'
	opGetLong     = 'j'
	opMemoize     = 0x94
	opGlobal      = 'c'
	opStackGlobal = 0x93
	opReduce      = 'R'
	opNewObject   = 0x81
	opBuild       = 'b'
	opPersID      = 'Q'
)
