// SPDX-License-Identifier: Apache-2.0
// berth_sandbox on real runsc; with Docker in it: sandbox_docker_test.cpp.
#include "sandbox_fixture.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

namespace capi_test {

TEST_F(SandboxTest, life_of_a_sandbox) {
  const Event made = create(R"(,"network":"none","env":{"GREETING":"hello"},"annotations":{"owner":"test"})"
                            R"(,"spec_patch":{"hostname":"patched"})");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  EXPECT_NE(made.payload.find("\"state\":\"running\""), std::string::npos) << made.payload;
  EXPECT_NE(made.payload.find(R"("annotations":{"owner":"test"})"), std::string::npos) << made.payload;

  Event e =
      exec(R"({"argv":["sh","-c","echo $GREETING; hostname; cat; exit 7"],"stdin_text":"typed","stdout":"capture"})");
  EXPECT_EQ(e.status, BERTH_OK) << e.error;
  EXPECT_EQ(e.code, 7);
  EXPECT_NE(e.payload.find(R"("stdout":"hello\npatched\ntyped")"), std::string::npos) << e.payload;

  // Streamed, written to, signalled.
  Error error;
  std::uint64_t op = 0, other = 0;
  const std::string_view cat = R"({"argv":["cat"],"stdin":"pipe"})";
  ASSERT_EQ(berth_sandbox_exec(box_, cat.data(), cat.size(), nullptr, &op, error.slot()), BERTH_OK);
  const Event started = loop_->next();
  EXPECT_EQ(started.kind, static_cast<std::uint32_t>(BERTH_EVENT_STARTED));
  EXPECT_GT(started.code, 1) << "the pid inside";
  const Event name_of =
      exec(R"({"argv":["cat","/proc/)" + std::to_string(started.code) + R"(/comm"],"stdout":"capture"})");
  EXPECT_NE(name_of.payload.find(R"("stdout":"cat\n")"), std::string::npos) << name_of.payload;
  ASSERT_EQ(berth_exec_write(loop_->get(), op, "line\n", 5, nullptr, &other, error.slot()), BERTH_OK);
  EXPECT_EQ(done(other).status, BERTH_OK);
  while (loop_->output[op][1] != "line\n") {
    Event next = loop_->next();
    ASSERT_NE(next.kind, static_cast<std::uint32_t>(BERTH_EVENT_NONE));
    if (next.kind == BERTH_EVENT_OUTPUT) loop_->output[op][1] += next.payload;
  }
  ASSERT_EQ(berth_exec_signal(loop_->get(), op, 15, nullptr, &other, error.slot()), BERTH_OK);
  EXPECT_EQ(done(other).status, BERTH_OK);
  EXPECT_EQ(done(op).code, 143);

  // Found by another handle, and by the list.
  berth_sandbox* same = nullptr;
  const std::string name = id();
  ASSERT_EQ(berth_sandbox_attach(loop_->get(), where_.data(), where_.size(), name.data(), name.size(), nullptr, &same,
                                 &op, error.slot()),
            BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK);
  ASSERT_EQ(berth_sandbox_state(same, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_NE(done(op).payload.find("\"state\":\"running\""), std::string::npos);
  berth_sandbox_free(same);
  ASSERT_EQ(berth_sandbox_list(loop_->get(), where_.data(), where_.size(), nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_NE(done(op).payload.find("\"id\":\"" + name + "\""), std::string::npos);
  ASSERT_EQ(berth_sandbox_collect_garbage(loop_->get(), where_.data(), where_.size(), nullptr, &op, error.slot()),
            BERTH_OK);
  EXPECT_EQ(done(op).payload, R"({"removed":[],"orphans":[],"unfinished_snapshots":0,"pools":[]})");

  ASSERT_EQ(berth_sandbox_terminate(box_, nullptr, 0, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK);
  ASSERT_EQ(berth_sandbox_terminate(box_, nullptr, 0, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK) << "again";
  e = exec(R"({"argv":["true"]})");
  EXPECT_EQ(e.status, BERTH_E_NOT_FOUND) << e.error;
}

// runsc writes its state file in place: killed in the middle, it leaves a sandbox that nobody can resume or signal any more.
TEST_F(SandboxTest, a_runsc_that_pauses_comes_to_its_end_when_that_is_cancelled) {
  const std::string state = root_ + "/state", program = root_ + "/runsc";
  std::ofstream(program) << "#!/bin/sh\nfor word; do\n  [ \"$word\" = pause ] || continue\n  echo begun > " << state
                         << "\n  sleep 0.3\n  echo whole > " << state << "\ndone\nexec " << variable("BERTH_RUNSC")
                         << " \"$@\"\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  where_.back() = ',';
  where_ += "\"runsc\":" + in_quotes(program) + "}";
  const Event made = create(R"(,"network":"none")");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  Error error;
  std::uint64_t op = 0;
  ASSERT_EQ(berth_sandbox_pause(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
  const auto said = [&] {
    std::string word;
    std::ifstream(state) >> word;
    return word;
  };
  for (int i = 0; i < 6000 && said().empty(); ++i) usleep(10000);
  ASSERT_EQ(berth_op_cancel(loop_->get(), op, error.slot()), BERTH_OK) << error.text();
  Event e = done(op);
  EXPECT_TRUE(e.status == BERTH_OK || e.status == BERTH_E_CANCELLED) << e.error;
  EXPECT_EQ(said(), "whole");
  ASSERT_EQ(berth_sandbox_resume(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
  e = done(op);
  EXPECT_EQ(e.status, BERTH_OK) << e.error;
  EXPECT_EQ(exec(R"({"argv":["true"]})").code, 0);
}

TEST_F(SandboxTest, pause_and_resume) {
  const Event made = create(R"(,"network":"none")");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  Error error;
  std::uint64_t op = 0;
  ASSERT_EQ(berth_sandbox_pause(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
  Event e = done(op);
  EXPECT_EQ(e.status, BERTH_OK) << e.error;
  ASSERT_EQ(berth_sandbox_state(box_, nullptr, &op, error.slot()), BERTH_OK);
  e = done(op);
  EXPECT_NE(e.payload.find(R"("state":"paused")"), std::string::npos) << e.payload;
  e = exec(R"({"argv":["true"]})");
  EXPECT_EQ(e.status, BERTH_E_SANDBOX_NOT_RUNNING) << e.error;
  EXPECT_NE(e.error.find("is paused"), std::string::npos) << e.error;
  ASSERT_EQ(berth_sandbox_resume(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
  e = done(op);
  EXPECT_EQ(e.status, BERTH_OK) << e.error;
  EXPECT_EQ(exec(R"({"argv":["true"]})").code, 0);
}

// It may come as the guest retreats, when it has, or while all stands still.
TEST_F(SandboxTest, snapshots_are_cancelled_at_any_moment_and_the_sandbox_answers) {
  ASSERT_EQ(create(R"(,"network":"none")").status, BERTH_OK) << logged();
  for (unsigned i = 0; i < 64 && !testing::Test::HasFailure(); ++i) {
    Error error;
    std::uint64_t op = 0;
    const std::string name = "at-" + std::to_string(i), options = "{\"name\":" + in_quotes(name) + "}";
    const berth_op_options how = op_options(0, ns_from_now(1 + i % 8 * (1 + i / 8)));
    ASSERT_EQ(berth_sandbox_snapshot(box_, options.data(), options.size(), &how, &op, error.slot()), BERTH_OK)
        << error.text();
    Event e = done(op);
    EXPECT_TRUE(e.status == BERTH_OK || e.status == BERTH_E_TIMEOUT) << e.error << "\n" << e.detail;
    const berth_status removed =
        berth_snapshot_remove(where_.data(), where_.size(), name.data(), name.size(), error.slot());
    EXPECT_EQ(removed, e.status == BERTH_OK ? BERTH_OK : BERTH_E_NOT_FOUND) << error.text();
    e = exec(R"({"argv":["true"]})");
    EXPECT_EQ(e.status, BERTH_OK) << e.error;
  }
}

TEST_F(SandboxTest, a_snapshot_is_taken_and_goes_on) {
  const Event made = create(R"(,"network":"none","annotations":{"job":"7"})");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  EXPECT_EQ(exec(R"({"argv":["sh","-c","echo kept > /root/file"]})").code, 0);
  Error error;
  std::uint64_t op = 0;
  for (const std::string bad : {R"({"name":"a/b"})", R"({"leave_running":true})", R"({"name":"warm","more":1})"}) {
    EXPECT_EQ(berth_sandbox_snapshot(box_, bad.data(), bad.size(), nullptr, &op, error.slot()), BERTH_E_INVALID) << bad;
  }
  const std::string options = R"({"name":"warm","leave_running":true})";
  ASSERT_EQ(berth_sandbox_snapshot(box_, options.data(), options.size(), nullptr, &op, error.slot()), BERTH_OK)
      << error.text();
  Event e = done(op);
  ASSERT_EQ(e.status, BERTH_OK) << e.error << "\n" << e.detail;
  EXPECT_NE(e.payload.find(R"("name":"warm")"), std::string::npos) << e.payload;
  EXPECT_EQ(exec(R"({"argv":["true"]})").code, 0) << "it goes on";
  berth_buffer* json = nullptr;
  ASSERT_EQ(berth_snapshot_list(where_.data(), where_.size(), &json, error.slot()), BERTH_OK) << error.text();
  EXPECT_NE(take(json).find(R"("annotations":{"job":"7"}}])"), std::string::npos);

  const auto restore = [&](const std::string& config, berth_sandbox** box) {
    return berth_sandbox_create(loop_->get(), where_.data(), where_.size(), config.data(), config.size(), nullptr, box,
                                &op, error.slot());
  };
  berth_sandbox* again = nullptr;
  EXPECT_EQ(restore(R"({"snapshot":"warm","memory_bytes":1073741824})", &again), BERTH_E_INVALID);
  EXPECT_NE(error.text().find("leave it out"), std::string::npos) << error.text();
  ASSERT_EQ(restore(R"({"snapshot":"warm","id":"again"})", &again), BERTH_OK) << error.text();
  e = done(op);
  EXPECT_EQ(e.status, BERTH_OK) << e.error << "\n" << e.detail;
  std::swap(box_, again);
  e = exec(R"({"argv":["sh","-c","cat /root/file; hostname"],"stdout":"capture"})");
  EXPECT_NE(e.payload.find("kept\\nagain\\n"), std::string::npos) << e.payload << e.error;
  std::swap(box_, again);
  ASSERT_EQ(berth_sandbox_terminate(again, nullptr, 0, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK);
  berth_sandbox_free(again);
  ASSERT_EQ(berth_snapshot_remove(where_.data(), where_.size(), "warm", 4, error.slot()), BERTH_OK) << error.text();
  EXPECT_EQ(berth_snapshot_remove(where_.data(), where_.size(), "warm", 4, error.slot()), BERTH_E_NOT_FOUND);
}

TEST_F(SandboxTest, files) {
  const Event made = create(R"(,"network":"none")");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  Error error;
  std::uint64_t op = 0;
  const std::string path = "/srv/d/f\xff", dir = "/srv/d", data("a\0b", 3), parents = R"({"parents":true,"mode":416})";
  ASSERT_EQ(berth_files_write(box_, path.data(), path.size(), parents.data(), parents.size(), data.data(), data.size(),
                              -1, nullptr, &op, error.slot()),
            BERTH_OK)
      << error.text();
  EXPECT_EQ(done(op).status, BERTH_OK);
  ASSERT_EQ(berth_files_read(box_, path.data(), path.size(), nullptr, 0, -1, nullptr, &op, error.slot()), BERTH_OK);
  Event e = done(op);
  EXPECT_EQ(e.payload, data) << e.error;
  const std::string part = R"({"offset":1,"length":1})", little = R"({"most":2})";
  ASSERT_EQ(berth_files_read(box_, path.data(), path.size(), part.data(), part.size(), -1, nullptr, &op, error.slot()),
            BERTH_OK);
  EXPECT_EQ(done(op).payload, std::string(1, '\0'));
  ASSERT_EQ(
      berth_files_read(box_, path.data(), path.size(), little.data(), little.size(), -1, nullptr, &op, error.slot()),
      BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_E_TOO_BIG);
  ASSERT_EQ(berth_files_list(box_, dir.data(), dir.size(), 0, nullptr, &op, error.slot()), BERTH_OK);
  e = done(op);
  EXPECT_NE(e.payload.find(R"("name_base64":"Zv8=","mode":33184,"size":3,)"), std::string::npos)
      << e.payload << e.error;
  ASSERT_EQ(berth_files_rename(box_, path.data(), path.size(), "/srv/g", 6, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK);
  ASSERT_EQ(berth_files_stat(box_, path.data(), path.size(), 0, nullptr, &op, error.slot()), BERTH_OK);
  e = done(op);
  EXPECT_EQ(e.status, BERTH_E_NOT_FOUND);
  // A tree out by a descriptor and in again, under another name.
  const int tar = ::memfd_create("tar", MFD_CLOEXEC);
  const std::string content = R"({"name":"."})";
  ASSERT_EQ(berth_files_pack(box_, "/srv", 4, content.data(), content.size(), tar, nullptr, &op, error.slot()),
            BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK);
  ASSERT_EQ(::lseek(tar, 0, SEEK_SET), 0);
  ASSERT_EQ(berth_files_unpack(box_, "/copy/of", 8, 1, nullptr, 0, tar, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK);
  ASSERT_EQ(berth_files_read(box_, "/copy/of/g", 10, nullptr, 0, -1, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).payload, data);
  ASSERT_EQ(berth_files_make_directory(box_, "/copy/x", 7, nullptr, 0, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK);
  ASSERT_EQ(berth_files_remove(box_, "/copy", 5, 0, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_E_IO);
  ASSERT_EQ(berth_files_remove(box_, "/copy", 5, 1, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK);
  ::close(tar);
  // Without Docker nothing happens.
  ASSERT_EQ(berth_sandbox_events(box_, 0, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK);
  // Cancelled in the middle: a pipe whose other end says nothing more.
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(::write(ends[1], "half", 4), 4);
  ASSERT_EQ(berth_files_write(box_, "/srv/g", 6, nullptr, 0, nullptr, 0, ends[0], nullptr, &op, error.slot()),
            BERTH_OK);
  ::usleep(300'000);
  ASSERT_EQ(berth_op_cancel(loop_->get(), op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_E_CANCELLED);
  ::close(ends[0]);
  ::close(ends[1]);
  ASSERT_EQ(berth_files_list(box_, "/srv", 4, 0, nullptr, &op, error.slot()), BERTH_OK);
  e = done(op);
  EXPECT_EQ(e.payload.find(".berth-"), std::string::npos) << e.payload;
  // What is wrong with the arguments is told at once.
  EXPECT_EQ(berth_files_read(box_, "", 0, nullptr, 0, -1, nullptr, &op, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_files_read(box_, "a\0b", 3, nullptr, 0, -1, nullptr, &op, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_files_read(box_, "/f", 2, nullptr, 0, -2, nullptr, &op, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_files_read(box_, "/f", 2, nullptr, 0, 1'000'000, nullptr, &op, error.slot()), BERTH_E_IO);
  EXPECT_EQ(berth_files_stat(box_, "/f", 2, 2, nullptr, &op, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_files_write(box_, "/f", 2, R"({"mod":1})", 9, nullptr, 0, -1, nullptr, &op, error.slot()),
            BERTH_E_INVALID);
  EXPECT_EQ(berth_files_write(box_, "/f", 2, R"({"mode":4096})", 13, nullptr, 0, -1, nullptr, &op, error.slot()),
            BERTH_E_INVALID);
  EXPECT_EQ(berth_files_read(nullptr, "/f", 2, nullptr, 0, -1, nullptr, &op, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(op, 0u);
}

// What a sandbox keeps of its guest is not the loop's.
TEST_F(SandboxTest, a_handle_outlives_the_loop_that_its_files_were_read_by) {
  const Event made = create("");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  Error error;
  std::uint64_t op = 0;
  ASSERT_EQ(berth_files_stat(box_, "/etc", 4, 0, nullptr, &op, error.slot()), BERTH_OK) << error.text();
  EXPECT_EQ(done(op).status, BERTH_OK);
  ASSERT_EQ(berth_files_stat(box_, "/etc", 4, 0, nullptr, &op, error.slot()), BERTH_OK) << error.text();
  EXPECT_EQ(done(op).status, BERTH_OK);
  berth_buffer* named = nullptr;
  ASSERT_EQ(berth_sandbox_id(box_, &named, error.slot()), BERTH_OK);
  const std::string id = take(named);
  loop_ = std::make_unique<Loop>();
  berth_sandbox_free(box_);
  box_ = nullptr;
  ASSERT_EQ(berth_sandbox_attach(loop_->get(), where_.data(), where_.size(), id.data(), id.size(), nullptr, &box_, &op,
                                 error.slot()),
            BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_OK);
}

TEST_F(SandboxTest, copies_and_a_pool) {
  const Event made = create(R"(,"network":"none")");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  Error error;
  std::uint64_t op = 0;
  const auto ended = [&](berth_status begun) {
    EXPECT_EQ(begun, BERTH_OK) << error.text();
    return begun == BERTH_OK ? done(op) : Event();
  };
  const auto removed = [&](berth_sandbox* box) {
    EXPECT_EQ(ended(berth_sandbox_terminate(box, nullptr, 0, nullptr, &op, error.slot())).status, BERTH_OK);
    berth_sandbox_free(box);
  };
  std::string options = R"({"count":0})";
  EXPECT_EQ(berth_sandbox_clone(box_, options.data(), options.size(), nullptr, &op, error.slot()), BERTH_E_INVALID);
  options = R"({"count":2,"annotations":{"a":"b"}})";
  Event e = ended(berth_sandbox_clone(box_, options.data(), options.size(), nullptr, &op, error.slot()));
  ASSERT_EQ(e.status, BERTH_OK) << e.error << "\n" << e.detail;
  std::vector<std::string> ids;  // {"ids":["…","…"]}
  for (std::size_t at = e.payload.find('[') + 1; e.payload[at] == '"'; ++at) {
    const std::size_t end = e.payload.find('"', at + 1);
    ids.push_back(e.payload.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  ASSERT_EQ(ids.size(), 2u) << e.payload;
  for (const std::string& id : ids) {
    berth_sandbox* copy = nullptr;
    e = ended(berth_sandbox_attach(loop_->get(), where_.data(), where_.size(), id.data(), id.size(), nullptr, &copy,
                                   &op, error.slot()));
    EXPECT_EQ(e.status, BERTH_OK) << e.error;
    EXPECT_NE(e.payload.find(R"("a":"b")"), std::string::npos) << e.payload;
    removed(copy);
  }

  options = R"({"name":"warm"})";
  ASSERT_EQ(ended(berth_sandbox_snapshot(box_, options.data(), options.size(), nullptr, &op, error.slot())).status,
            BERTH_OK);
  const auto start = [&](const std::string& what) {
    return berth_pool_start(loop_->get(), where_.data(), where_.size(), what.data(), what.size(), nullptr, &op,
                            error.slot());
  };
  for (const char* bad : {R"({"name":"web"})", R"({"name":"web","snapshot":"warm","size":0})",
                          R"({"name":"a/b","snapshot":"warm"})", R"({"name":"web","snapshot":"warm","more":1})"})
    EXPECT_EQ(start(bad), BERTH_E_INVALID) << bad;
  e = ended(start(R"({"name":"web","snapshot":"warm","size":1,"ends_with_creator":true})"));
  ASSERT_EQ(e.status, BERTH_OK) << e.error << "\n" << e.detail;
  EXPECT_NE(e.payload.find(R"("ready":1)"), std::string::npos) << e.payload;
  options = R"({"name":"web","ends_with_creator":true,"lifetime_ms":600000})";
  berth_sandbox *first = nullptr, *second = nullptr;
  for (berth_sandbox** box : {&first, &second}) {
    e = ended(berth_pool_take(loop_->get(), where_.data(), where_.size(), options.data(), options.size(), nullptr, box,
                              &op, error.slot()));
    ASSERT_EQ(e.status, BERTH_OK) << e.error << "\n" << e.detail;
    std::swap(box_, *box);
    EXPECT_EQ(exec(R"({"argv":["true"]})").code, 0);
    std::swap(box_, *box);
  }
  berth_buffer* json = nullptr;
  ASSERT_EQ(berth_pool_list(where_.data(), where_.size(), &json, error.slot()), BERTH_OK) << error.text();
  EXPECT_NE(take(json).find(R"("name":"web","snapshot":"warm","size":1)"), std::string::npos);
  removed(first);
  removed(second);
  const auto stop = [&] {
    return ended(berth_pool_stop(loop_->get(), where_.data(), where_.size(), "web", 3, nullptr, &op, error.slot()))
        .status;
  };
  EXPECT_EQ(stop(), BERTH_OK);
  EXPECT_EQ(stop(), BERTH_E_NOT_FOUND);

  // One whose owner is gone: another process had the number of this one.
  e = ended(start(R"({"name":"web","snapshot":"warm","size":1,"ends_with_creator":true})"));
  ASSERT_EQ(e.status, BERTH_OK) << e.error << "\n" << e.detail;
  const std::string file = root_ + "/.pools/web/pool.json", key = "\"start_time\":";
  std::ifstream reading(file);
  std::string settings((std::istreambuf_iterator<char>(reading)), {});
  ASSERT_NE(settings.find(key), std::string::npos) << settings;
  std::ofstream(file) << settings.insert(settings.find_first_of("0123456789", settings.find(key)), "1");
  e = ended(berth_sandbox_collect_garbage(loop_->get(), where_.data(), where_.size(), nullptr, &op, error.slot()));
  EXPECT_NE(e.payload.find(R"("pools":["web"])"), std::string::npos) << e.payload << e.error;
  EXPECT_EQ(e.payload.find(R"("removed":[])"), std::string::npos) << e.payload;
  EXPECT_EQ(stop(), BERTH_E_NOT_FOUND);
  ASSERT_EQ(berth_snapshot_remove(where_.data(), where_.size(), "warm", 4, error.slot()), BERTH_OK) << error.text();
}

TEST_F(SandboxTest, logs_annotations_and_its_end) {
  const Event made = create(R"(,"network":"none")");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  Error error;
  std::uint64_t op = 0;
  const auto annotate = [&](const std::string& key, const std::string& value) {
    EXPECT_EQ(
        berth_sandbox_annotate(box_, key.data(), key.size(), value.data(), value.size(), nullptr, &op, error.slot()),
        BERTH_OK)
        << error.text();
    return done(op).status;
  };
  const auto state = [&] {
    EXPECT_EQ(berth_sandbox_state(box_, nullptr, &op, error.slot()), BERTH_OK);
    return done(op).payload;
  };
  EXPECT_EQ(annotate("task", "seven"), BERTH_OK);
  EXPECT_NE(state().find(R"("task":"seven")"), std::string::npos);
  EXPECT_EQ(annotate("task", ""), BERTH_OK);
  EXPECT_EQ(state().find("\"task\""), std::string::npos);
  EXPECT_EQ(annotate("", "x"), BERTH_E_INVALID);

  const auto logs = [&](const std::string& which, std::size_t limit) {
    EXPECT_EQ(berth_sandbox_logs(box_, which.data(), which.size(), limit, nullptr, &op, error.slot()), BERTH_OK);
    const Event e = done(op);
    EXPECT_EQ(e.status, BERTH_OK) << e.error;
    return e.payload;
  };
  EXPECT_EQ(berth_sandbox_logs(box_, "other", 5, 0, nullptr, &op, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(logs("daemon", 0), R"({"text":""})");
  // Where the guest puts what a command of its own prints; whatever it writes there is text, and nothing else is followed.
  EXPECT_EQ(exec(R"({"argv":["sh","-c","printf 'one\\377two' > /run/berth/command.log"]})").status, BERTH_OK);
  EXPECT_EQ(logs("command", 0), "{\"text\":\"one\xef\xbf\xbdtwo\"}");
  EXPECT_EQ(logs("command", 3), R"({"text":"two"})");
  EXPECT_EQ(exec(R"({"argv":["ln","-sf","/etc/passwd","/run/berth/command.log"]})").status, BERTH_OK);
  ASSERT_EQ(berth_sandbox_logs(box_, "command", 7, 0, nullptr, &op, error.slot()), BERTH_OK);
  const Event linked = done(op);
  EXPECT_NE(linked.status, BERTH_OK) << linked.payload;

  std::uint64_t waiting = 0;
  ASSERT_EQ(berth_sandbox_wait_stopped(box_, nullptr, &waiting, error.slot()), BERTH_OK) << error.text();
  const std::string now = state();
  const std::size_t at = now.find("\"pid\":");
  ASSERT_NE(at, std::string::npos) << now;
  ASSERT_EQ(::kill(std::atoi(now.c_str() + at + 6), SIGKILL), 0);
  EXPECT_EQ(done(waiting).status, BERTH_OK);
  EXPECT_NE(state().find(R"("state":"stopped")"), std::string::npos);
}

TEST_F(SandboxTest, falls_asleep_and_wakes_by_its_next_use) {
  const Event made = create(R"(,"idle_timeout_ms":1000)");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  Error error;
  for (int i = 0; i < 2; ++i) {
    std::string now;
    for (int tries = 0; tries < 600; ++tries, ::usleep(100'000)) {
      std::uint64_t op = 0;
      ASSERT_EQ(berth_sandbox_state(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
      now = done(op).payload;
      if (now.find(R"("state":"asleep")") != std::string::npos) break;
    }
    EXPECT_NE(now.find(R"("state":"asleep")"), std::string::npos) << now;
    const Event woken = exec(R"({"argv":["true"]})");
    EXPECT_EQ(woken.status, BERTH_OK) << woken.error;
  }
}

TEST_F(SandboxTest, hibernates_and_goes_on_by_its_next_use) {
  const Event made = create("");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  Error error;
  for (int i = 0; i < 2; ++i) {
    std::uint64_t op = 0;
    ASSERT_EQ(berth_sandbox_hibernate(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
    const Event saved = done(op);
    EXPECT_EQ(saved.status, BERTH_OK) << saved.error << "\n" << saved.detail;
    ASSERT_EQ(berth_sandbox_state(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
    EXPECT_NE(done(op).payload.find(R"("state":"hibernated")"), std::string::npos);
    if (i == 0) {
      const Event woken = exec(R"({"argv":["true"]})");
      EXPECT_EQ(woken.status, BERTH_OK) << woken.error;
    } else {
      ASSERT_EQ(berth_sandbox_resume(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
      EXPECT_EQ(done(op).status, BERTH_OK);
    }
    ASSERT_EQ(berth_sandbox_state(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
    EXPECT_NE(done(op).payload.find(R"("state":"running")"), std::string::npos);
  }
}

TEST_F(SandboxTest, egress) {
  const Event made = create(R"(,"egress":["198.51.100.7:443"])");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  EXPECT_NE(made.payload.find(R"("egress":["198.51.100.7:443/tcp"])"), std::string::npos) << made.payload;
  Error error;
  std::uint64_t op = 0;
  const std::string rules = R"(["none"])";
  ASSERT_EQ(berth_sandbox_set_egress(box_, rules.data(), rules.size(), nullptr, &op, error.slot()), BERTH_OK)
      << error.text();
  Event e = done(op);
  EXPECT_EQ(e.status, BERTH_OK) << e.error;
  EXPECT_EQ(e.payload, R"({"egress":["none"],"refused":0,"refused_places":[],"addresses":[],"refused_names":[]})");
  ASSERT_EQ(berth_sandbox_egress(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
  EXPECT_EQ(done(op).payload,
            R"({"egress":["none"],"refused":0,"refused_places":[],"addresses":[],"refused_names":[]})");
  ASSERT_EQ(berth_sandbox_state(box_, nullptr, &op, error.slot()), BERTH_OK);
  e = done(op);
  EXPECT_NE(e.payload.find(R"("egress":["none"],"refused_egress":0)"), std::string::npos) << e.payload;
  for (const std::string bad : {R"(["localhost"])", "[]", "", R"("none")", "[1]"}) {
    EXPECT_EQ(berth_sandbox_set_egress(box_, bad.data(), bad.size(), nullptr, &op, error.slot()), BERTH_E_INVALID)
        << bad;
    EXPECT_EQ(op, 0u);
  }
}

TEST_F(SandboxTest, published_ports_handing_over_and_diagnosis) {
  const Event made = create(R"(,"publish":["18090:80"],"ends_with_creator":true,"lifetime_ms":600000)");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  EXPECT_NE(made.payload.find(R"("ports":["127.0.0.1:18090:80/tcp"])"), std::string::npos) << made.payload;
  Error error;
  std::uint64_t op = 0;
  ASSERT_EQ(berth_sandbox_ports(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
  EXPECT_EQ(done(op).payload, R"({"ports":["127.0.0.1:18090:80/tcp"],"containers":[]})");
  ASSERT_EQ(berth_sandbox_docker_status(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
  EXPECT_EQ(done(op).code, BERTH_DAEMON_DISABLED) << "it has no Docker";
  ASSERT_EQ(berth_sandbox_hand_over(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
  EXPECT_EQ(done(op).status, BERTH_OK);
  ASSERT_EQ(berth_sandbox_diagnose(box_, nullptr, &op, error.slot()), BERTH_OK) << error.text();
  const Event found = done(op);
  EXPECT_EQ(found.status, BERTH_OK) << found.error;
  EXPECT_NE(found.payload.find(R"("state":"running","ok":true,"findings":[])"), std::string::npos) << found.payload;
  berth_buffer* init = nullptr;
  ASSERT_EQ(berth_find_init(where_.data(), where_.size(), &init, error.slot()), BERTH_OK) << error.text();
  EXPECT_NE(std::string(berth_buffer_data(init)).find("berth-init"), std::string::npos);
  berth_buffer_free(init);
}

TEST_F(SandboxTest, what_this_machine_has) {
  const char* rootfs = std::getenv("BERTH_TEST_ROOTFS");
  ASSERT_NE(rootfs, nullptr);
  Error error;
  berth_buffer* json = nullptr;
  ASSERT_EQ(berth_check_machine(where_.data(), where_.size(), rootfs, std::strlen(rootfs), &json, error.slot()),
            BERTH_OK)
      << error.text();
  const std::string whole(berth_buffer_data(json), berth_buffer_size(json));
  berth_buffer_free(json);
  EXPECT_TRUE(whole.starts_with(R"({"ok":true,"checks":[{"name":"root","state":"found","needed":true)")) << whole;
  EXPECT_NE(whole.find(R"("name":"rootfs dockerd","state":"found")"), std::string::npos) << whole;
  ASSERT_EQ(berth_check_machine(where_.data(), where_.size(), "/nonexistent", 12, &json, error.slot()), BERTH_OK);
  const std::string lacking(berth_buffer_data(json), berth_buffer_size(json));
  berth_buffer_free(json);
  EXPECT_TRUE(lacking.starts_with(R"({"ok":false)")) << lacking;
  EXPECT_NE(lacking.find(R"("name":"rootfs","state":"missing")"), std::string::npos) << lacking;
}

TEST_F(SandboxTest, a_detached_command_goes_on_by_itself) {
  const Event made = create(R"(,"network":"none")");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  const std::string log = root_ + "/own.log";
  const auto start = [&](const std::string& argv, const std::string& more = {}) {
    const std::string options = "{\"argv\":" + argv + ",\"log\":\"" + log + "\"" + more + "}";
    Error error;
    std::uint64_t op = 0;
    EXPECT_EQ(berth_sandbox_start_detached(box_, options.data(), options.size(), nullptr, &op, error.slot()), BERTH_OK)
        << error.text();
    return done(op);
  };
  Event e = start(R"(["sh","-c","echo $WORD in $PWD; exec sleep 4719"])", R"(,"env":{"WORD":"begun"},"cwd":"/usr")");
  ASSERT_EQ(e.status, BERTH_OK) << e.error << "\n" << e.detail;
  const std::string pid = e.payload.substr(e.payload.find(':') + 1, e.payload.find('}') - e.payload.find(':') - 1);
  EXPECT_EQ(e.payload, "{\"pid\":" + pid + "}");
  EXPECT_EQ(exec("{\"argv\":[\"kill\",\"-0\",\"" + pid + "\"]}").code, 0);
  const auto printed = [&] {
    std::ifstream file(log, std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  };
  for (int i = 0; i < 1000 && printed().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(printed(), "begun in /usr\n");

  e = start(R"(["/no/such/program"])");
  EXPECT_EQ(e.status, BERTH_E_PROCESS_EXITED) << e.error;
  EXPECT_NE(e.detail.find("begun in /usr"), std::string::npos) << e.detail;

  for (const auto& [options, where] :
       std::map<std::string, std::string>{{R"({"argv":["true"],"log":"own.log"})", "log"},
                                          {R"({"argv":["true"]})", "log"},
                                          {R"({"log":"/tmp/x"})", "argv"},
                                          {R"({"argv":["true"],"log":"/tmp/x","stdin":"pipe"})", "stdin"}}) {
    Error error;
    std::uint64_t op = 0;
    EXPECT_EQ(berth_sandbox_start_detached(box_, options.data(), options.size(), nullptr, &op, error.slot()),
              BERTH_E_INVALID);
    EXPECT_NE(error.text().find(where), std::string::npos) << error.text();
  }
}

TEST_F(SandboxTest, commit_says_what_it_cannot_do) {
  const Event made = create(R"(,"network":"none")");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  const std::string layout = "{\"layout\":\"" + root_ + "/images\"";
  for (const auto& [options, where] :
       std::map<std::string, std::string>{{R"({"layout":"images","tag":"v1"})", "layout"},
                                          {R"({"tag":"v1"})", "layout"},
                                          {layout + "}", "tag"},
                                          {layout + R"(,"tag":"no tag"})", "tag"},
                                          {layout + R"(,"tag":"v1","workdir":"usr"})", "working directory"}}) {
    Error error;
    std::uint64_t op = 0;
    EXPECT_EQ(berth_sandbox_commit(box_, options.data(), options.size(), nullptr, &op, error.slot()), BERTH_E_INVALID);
    EXPECT_NE(error.text().find(where), std::string::npos) << error.text();
  }
  Error error;
  std::uint64_t op = 0;
  const std::string options = layout + R"(,"tag":"v1","umoci":"/no/such/umoci"})";
  ASSERT_EQ(berth_sandbox_commit(box_, options.data(), options.size(), nullptr, &op, error.slot()), BERTH_OK);
  const Event e = done(op);
  EXPECT_EQ(e.status, BERTH_E_NOT_FOUND) << e.error;
  EXPECT_NE(e.error.find("umoci"), std::string::npos) << e.error;
  EXPECT_NE(::access((root_ + "/images").c_str(), F_OK), 0);
}

TEST_F(SandboxTest, export_writes_a_new_file) {
  const Event made = create(R"(,"network":"none")");
  ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
  ASSERT_EQ(exec(R"({"argv":["touch","/made-inside"]})").code, 0);
  Error error;
  std::uint64_t op = 0;
  const std::string file = root_ + "/changes.tar";
  ASSERT_EQ(berth_sandbox_export(box_, file.data(), file.size(), nullptr, &op, error.slot()), BERTH_OK) << error.text();
  Event e = done(op);
  EXPECT_EQ(e.status, BERTH_OK) << e.error;
  std::ifstream tar(file, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(tar)), std::istreambuf_iterator<char>());
  EXPECT_NE(content.find("made-inside"), std::string::npos);
  ASSERT_EQ(berth_sandbox_export(box_, file.data(), file.size(), nullptr, &op, error.slot()), BERTH_OK) << error.text();
  e = done(op);
  EXPECT_EQ(e.status, BERTH_E_EXISTS) << e.error;
  EXPECT_EQ(berth_sandbox_export(box_, nullptr, 0, nullptr, &op, error.slot()), BERTH_E_INVALID);
  ASSERT_EQ(berth_sandbox_export(box_, "here.tar", 8, nullptr, &op, error.slot()), BERTH_OK) << error.text();
  e = done(op);
  EXPECT_EQ(e.status, BERTH_E_INVALID) << e.error << ": a file by its absolute path";
}

TEST_F(SandboxTest, failures_leave_nothing) {
  Error error;
  std::uint64_t op = 0;
  // No dockerd in the root file system: told before anything is made.
  const std::string real = std::exchange(rootfs_, root_ + "/empty");
  ASSERT_TRUE(std::filesystem::create_directory(rootfs_));
  const Event e = create(R"(,"docker":{})");
  EXPECT_EQ(e.status, BERTH_E_DAEMON_NOT_PRESENT) << e.error;
  berth_buffer* text = nullptr;
  EXPECT_EQ(berth_sandbox_id(box_, &text, error.slot()), BERTH_E_STATE);
  EXPECT_EQ(text, nullptr);
  ASSERT_EQ(berth_sandbox_state(box_, nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).status, BERTH_E_STATE);
  berth_sandbox_free(std::exchange(box_, nullptr));
  std::filesystem::remove(rootfs_);
  rootfs_ = real;

  // Cancelled in the middle.
  const std::string config = "{\"rootfs\":" + in_quotes(rootfs_) + ",\"network\":\"none\"}";
  ASSERT_EQ(berth_sandbox_create(loop_->get(), where_.data(), where_.size(), config.data(), config.size(), nullptr,
                                 &box_, &op, error.slot()),
            BERTH_OK);
  berth_op_cancel(loop_->get(), op, nullptr);
  EXPECT_EQ(done(op).status, BERTH_E_CANCELLED);
  berth_sandbox_free(std::exchange(box_, nullptr));
  ASSERT_EQ(berth_sandbox_list(loop_->get(), where_.data(), where_.size(), nullptr, &op, error.slot()), BERTH_OK);
  EXPECT_EQ(done(op).payload, "[]");

  // What is wrong with a config is told at once.
  for (const std::string& bad :
       {std::string("{}"), "{\"rootfs\":" + in_quotes(rootfs_) + ",\"cpu\":1}",
        "{\"rootfs\":" + in_quotes(rootfs_) + ",\"cpus\":-1}", std::string("{\"rootfs\":\"relative\"}"),
        "{\"rootfs\":" + in_quotes(rootfs_) + ",\"docker\":{\"cgroup\":\"all\"}}",
        "{\"rootfs\":" + in_quotes(rootfs_) + ",\"network\":\"bridge\"}"}) {
    EXPECT_EQ(berth_sandbox_create(loop_->get(), where_.data(), where_.size(), bad.data(), bad.size(), nullptr, &box_,
                                   &op, error.slot()),
              BERTH_E_INVALID)
        << bad;
    EXPECT_EQ(box_, nullptr);
  }
}

}  // namespace capi_test
