package train

import (
	"context"
	"fmt"

	"jem/feed"
	"jem/predict"
)

func (t *Trainer) evaluate(ctx context.Context, o Observer, set feed.Images, split string) error {
	a, err := t.judge(ctx, set, split)
	if err != nil {
		return err
	}
	if !finite(a.Loss) || !finite(a.LogPx) {
		return &DivergedError{Step: t.progress.Step, Reason: fmt.Sprintf("on the %s set the loss is %v, log p(x) %v", split, a.Loss, a.LogPx)}
	}
	t.progress.Last = a.Accuracy
	return t.accord.Lead(func(context.Context) error { return o.Evaluated(t.progress.Step, a) })
}

// judge evaluates a set with the weights that would be used: the averaged
// ones where there are any. It ends early when ctx does.
func (t *Trainer) judge(ctx context.Context, set feed.Images, split string) (*predict.Judgement, error) {
	if t.step.EMA != nil {
		defer t.step.EMA.Use()()
	}
	judge := t.eval.Judge
	if t.comm.Size() > 1 {
		judge = t.judgeShared
	}
	a, err := judge(ctx, set)
	if err != nil {
		return nil, err
	}
	a.Split, a.EMA, a.Noise = split, t.step.EMA != nil, t.src.EvalNoise
	return a, nil
}

// judgeShared is Judge of all ranks: each takes some of the batches through the network, the same that
// one would, and all come to the same judgement from the logits of all.
func (t *Trainer) judgeShared(_ context.Context, set feed.Images) (*predict.Judgement, error) {
	row := feed.EvalBatch * t.step.Net.Config.Classes
	each := (set.Batches() + t.comm.Size() - 1) / t.comm.Size() // batches of a rank, perhaps fewer of the last ones
	logits := make([]float32, row*each*t.comm.Size())
	err := t.accord.During(func(ctx context.Context) error {
		first := each * t.comm.Rank()
		for i := first; i < min(first+each, set.Batches()); i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			out, err := t.eval.Forward(set.Batch(i, t.eval.Images, t.eval.Labels))
			if err != nil {
				return err
			}
			copy(logits[row*i:], out)
		}
		return nil
	})
	if err == nil {
		err = t.comm.Gather(logits).Wait()
	}
	if err != nil {
		return nil, err
	}
	var judged *predict.Judgement
	err = t.accord.During(func(context.Context) (err error) {
		answer := func(i, _ int) ([]float32, error) { return logits[row*i:], nil }
		judged, err = t.eval.JudgeAnswers(context.Background(), set, answer) // agreed: not to be broken off by some
		return err
	})
	return judged, err
}
