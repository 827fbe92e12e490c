// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package berth

// Without cgo there is no library: everything that needs it says so. The types are here, so that programs still compile.

import "errors"

// ErrNoCgo is the error of everything in a build without cgo (CGO_ENABLED=0, or no C compiler).
var ErrNoCgo = errors.New("berth: this program was built without cgo, which berth's library needs (CGO_ENABLED=1 and g++)")

type noHandle struct{}

type (
	cLoop     = *noHandle
	cRunsc    = *noHandle
	cExecutor = *noHandle
	cDaemon   = *noHandle
	cSandbox  = *noHandle
)

type opSettings struct{ key, deadline uint64 }

type event struct {
	kind    uint32
	op      uint64
	key     uint64
	status  Code
	code    int32
	err     error
	payload []byte
}

const (
	eventDone = iota + 1
	eventStarted
	eventOutput
	eventLog
	eventDaemonState
	eventDaemonLine
	eventClosed
	eventSandbox
	eventRequestExec
	eventRequestStdin
	eventRequestEOF
	eventRequestKill
	eventRequestEnd
)

const pollBatch = 1

type eventBuffer struct{}

func newEventBuffer() eventBuffer { return eventBuffer{} }
func (eventBuffer) free()         {}

func abiCheck() error        { return ErrNoCgo }
func statusName(Code) string { return "unknown" }
func libraryVersion() string { return "" }
func nowNS() uint64          { return 0 }

func specApplyDocker([]byte, string, bool) (out, seenTo []byte, err error) { return nil, nil, ErrNoCgo }
func specMerge(_, _ []byte) ([]byte, error)                                { return nil, ErrNoCgo }
func specDiff(_, _ []byte) ([]byte, error)                                 { return nil, ErrNoCgo }

func runscProbe(_, _ string) (cRunsc, error)                { return nil, ErrNoCgo }
func runscFromText(_, _ string) (cRunsc, error)             { return nil, ErrNoCgo }
func runscFree(cRunsc)                                      {}
func runscJSON(cRunsc) ([]byte, error)                      { return nil, ErrNoCgo }
func runscHas(cRunsc, string, string) (bool, error)         { return false, ErrNoCgo }
func runscArgv(cRunsc, string, string) ([]string, error)    { return nil, ErrNoCgo }
func loopCreate(int32, uint64, uint64) (cLoop, error)       { return nil, ErrNoCgo }
func loopFD(cLoop) (int, error)                             { return -1, ErrNoCgo }
func loopClose(cLoop) error                                 { return ErrNoCgo }
func loopFree(cLoop)                                        {}
func opCancel(cLoop, uint64) error                          { return ErrNoCgo }
func loopPoll(cLoop, eventBuffer, []event) ([]event, error) { return nil, ErrNoCgo }

func executorCreate(cLoop, uint64) (cExecutor, error)                { return nil, ErrNoCgo }
func executorCreateHost(cLoop) (cExecutor, error)                    { return nil, ErrNoCgo }
func executorCreateRunsc(cLoop, string) (cExecutor, error)           { return nil, ErrNoCgo }
func executorCreateSandbox(cSandbox) (cExecutor, error)              { return nil, ErrNoCgo }
func executorFree(cExecutor)                                         {}
func executorStarted(cExecutor, uint64, int) error                   { return ErrNoCgo }
func executorOutput(cExecutor, uint64, int32, []byte) error          { return ErrNoCgo }
func executorExited(cExecutor, uint64, int, int) error               { return ErrNoCgo }
func executorFailed(cExecutor, uint64, Code, string) error           { return ErrNoCgo }
func execStart(cExecutor, string, opSettings) (uint64, error)        { return 0, ErrNoCgo }
func execWrite(cLoop, uint64, []byte, opSettings) (uint64, error)    { return 0, ErrNoCgo }
func execCloseStdin(cLoop, uint64) error                             { return ErrNoCgo }
func execHold(cLoop, uint64, bool) error                             { return ErrNoCgo }
func execSignal(cLoop, uint64, int, opSettings) (uint64, error)      { return 0, ErrNoCgo }
func pollStart(cLoop, cExecutor, string, opSettings) (uint64, error) { return 0, ErrNoCgo }

func daemonCreate(cExecutor, string, uint64) (cDaemon, error) { return nil, ErrNoCgo }
func daemonFree(cDaemon)                                      {}
func daemonStart(cDaemon, opSettings) (uint64, error)         { return 0, ErrNoCgo }
func daemonWaitReady(cDaemon, opSettings) (uint64, error)     { return 0, ErrNoCgo }
func daemonStop(cDaemon, opSettings) (uint64, error)          { return 0, ErrNoCgo }
func daemonStatusJSON(cDaemon) ([]byte, error)                { return nil, ErrNoCgo }
func dockerDiagnose(string, cRunsc) ([]byte, error)           { return nil, ErrNoCgo }

func sandboxCreate(cLoop, string, string, opSettings) (cSandbox, uint64, error) {
	return nil, 0, ErrNoCgo
}
func sandboxAttach(cLoop, string, string, opSettings) (cSandbox, uint64, error) {
	return nil, 0, ErrNoCgo
}
func filesRead(cSandbox, string, string, int, opSettings) (uint64, error) { return 0, ErrNoCgo }
func filesWrite(cSandbox, string, string, []byte, int, opSettings) (uint64, error) {
	return 0, ErrNoCgo
}
func filesStat(cSandbox, string, int, opSettings) (uint64, error)             { return 0, ErrNoCgo }
func filesList(cSandbox, string, uint64, opSettings) (uint64, error)          { return 0, ErrNoCgo }
func filesRemove(cSandbox, string, int, opSettings) (uint64, error)           { return 0, ErrNoCgo }
func filesMakeDirectory(cSandbox, string, string, opSettings) (uint64, error) { return 0, ErrNoCgo }
func filesRename(cSandbox, string, string, opSettings) (uint64, error)        { return 0, ErrNoCgo }
func filesPack(cSandbox, string, string, int, opSettings) (uint64, error)     { return 0, ErrNoCgo }
func filesUnpack(cSandbox, string, int, int, opSettings) (uint64, error)      { return 0, ErrNoCgo }
func sandboxEvents(cSandbox, int, opSettings) (uint64, error)                 { return 0, ErrNoCgo }

func sandboxFree(cSandbox)                                         {}
func sandboxID(cSandbox) (string, error)                           { return "", ErrNoCgo }
func sandboxDockerHost(cSandbox) (string, error)                   { return "", ErrNoCgo }
func sandboxState(cSandbox, opSettings) (uint64, error)            { return 0, ErrNoCgo }
func sandboxPause(cSandbox, bool, opSettings) (uint64, error)      { return 0, ErrNoCgo }
func sandboxHibernate(cSandbox, opSettings) (uint64, error)        { return 0, ErrNoCgo }
func sandboxEgress(cSandbox, string, opSettings) (uint64, error)   { return 0, ErrNoCgo }
func sandboxPorts(cSandbox, opSettings) (uint64, error)            { return 0, ErrNoCgo }
func sandboxContainerStats(cSandbox, opSettings) (uint64, error)   { return 0, ErrNoCgo }
func sandboxDiagnose(cSandbox, opSettings) (uint64, error)         { return 0, ErrNoCgo }
func sandboxHandOver(cSandbox, opSettings) (uint64, error)         { return 0, ErrNoCgo }
func sandboxSnapshot(cSandbox, string, opSettings) (uint64, error) { return 0, ErrNoCgo }
func snapshotList(string) ([]byte, error)                          { return nil, ErrNoCgo }
func findInit(string) (string, error)                              { return "", ErrNoCgo }
func checkMachine(string, string) ([]byte, error)                  { return nil, ErrNoCgo }
func snapshotRemove(string, string) error                          { return ErrNoCgo }
func sandboxClone(cSandbox, string, opSettings) (uint64, error)    { return 0, ErrNoCgo }
func poolStart(cLoop, string, string, opSettings) (uint64, error)  { return 0, ErrNoCgo }
func poolStop(cLoop, string, string, opSettings) (uint64, error)   { return 0, ErrNoCgo }
func poolList(string) ([]byte, error)                              { return nil, ErrNoCgo }
func poolTake(cLoop, string, string, opSettings) (cSandbox, uint64, error) {
	return nil, 0, ErrNoCgo
}
func sandboxLogs(cSandbox, string, uint64, opSettings) (uint64, error)     { return 0, ErrNoCgo }
func sandboxAnnotate(cSandbox, string, string, opSettings) (uint64, error) { return 0, ErrNoCgo }
func sandboxWaitStopped(cSandbox, opSettings) (uint64, error)              { return 0, ErrNoCgo }
func sandboxCommit(cSandbox, string, opSettings) (uint64, error)           { return 0, ErrNoCgo }
func sandboxStartDetached(cSandbox, string, opSettings) (uint64, error)    { return 0, ErrNoCgo }
func sandboxExport(cSandbox, string, opSettings) (uint64, error)           { return 0, ErrNoCgo }
func sandboxTerminate(cSandbox, string, opSettings) (uint64, error)        { return 0, ErrNoCgo }
func sandboxStartDocker(cSandbox, string, opSettings) (uint64, error)      { return 0, ErrNoCgo }
func sandboxWaitDocker(cSandbox, opSettings) (uint64, error)               { return 0, ErrNoCgo }
func sandboxDockerStatus(cSandbox, opSettings) (uint64, error)             { return 0, ErrNoCgo }
func sandboxList(cLoop, string, opSettings) (uint64, error)                { return 0, ErrNoCgo }
func sandboxCollectGarbage(cLoop, string, opSettings) (uint64, error)      { return 0, ErrNoCgo }
