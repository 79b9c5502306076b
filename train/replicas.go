package train

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"jem/comm"
)

// compareEvery is the number of steps after which ranks compare what they hold.
const compareEvery = 100

// ReplicasError says that ranks, which ought to hold the same state bit by bit, don't: a processor or a
// memory is at fault, or this program. Nothing of such a state is saved.
type ReplicasError struct {
	Step  int
	Ranks []int // those that differ from most; where there is no most, from the first one
	Of    int   // ranks in all
	Clear bool  // most agree, so it is known who differs
}

func (e *ReplicasError) Error() string {
	var names []string
	for _, r := range e.Ranks {
		names = append(names, fmt.Sprint(r))
	}
	who := "rank " + names[0]
	if len(names) > 1 {
		who = "ranks " + strings.Join(names, ", ")
	}
	than, remedy := fmt.Sprintf("the other %d", e.Of-len(e.Ranks)), "leave the machine out if it is the same one again"
	if !e.Clear {
		than, remedy = "rank 0", "which of them is wrong can't be told"
	}
	return fmt.Sprintf("after step %d %s of %d holds another state than %s, which nothing but faulty hardware or a bug brings about: it was not saved; "+
		"started again, the run goes on from its last checkpoint, when all were the same: %s", e.Step, who, e.Of, than, remedy)
}

// compare fails where the ranks don't hold the same state.
func (t *Trainer) compare() error {
	if t.comm.Size() == 1 {
		return nil
	}
	var own []byte
	err := t.accord.During(func(context.Context) (err error) { own, err = t.digest(); return err })
	if err != nil {
		return err
	}
	all, err := comm.Everyone(t.comm, own)
	if err != nil {
		return err
	}
	if differ, most := minority(all); len(differ) > 0 {
		return &ReplicasError{Step: t.progress.Step, Ranks: differ, Of: len(all), Clear: most}
	}
	return nil
}

// digest names everything that a checkpoint has of the run.
func (t *Trainer) digest() ([]byte, error) {
	tensors, err := t.step.Hash()
	if err != nil {
		return nil, err
	}
	progress, err := json.Marshal(t.progress)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64(progress, tensors))
	return sum[:], nil
}

// minority are the ranks whose digest is not that of most; most tells whether there is such a one, else
// that of rank 0 stands for it.
func minority(all [][]byte) (differ []int, most bool) {
	count := map[string]int{}
	for _, d := range all {
		count[string(d)]++
	}
	right := string(all[0])
	for d, n := range count {
		if 2*n > len(all) {
			right, most = d, true
		}
	}
	for rank, d := range all {
		if string(d) != right {
			differ = append(differ, rank)
		}
	}
	return differ, most
}
