// SPDX-License-Identifier: Apache-2.0
// Where images live: in the sandbox's memory, or on a directory of the host that outlives it.
#include "support/docker_fixture.hpp"

#include <berth/base/file.hpp>

#include <filesystem>

namespace {

using namespace berth;
using std::string;

class DockerDataRoot : public berth_test::docker_test {
 protected:
  docker_recipe on(const string& directory) {
    docker_recipe recipe;
    recipe.data_root.emplace();
    recipe.data_root->where = docker_data_root::kind::directory;
    recipe.data_root->directory = directory;
    return recipe;
  }
};

TEST_F(DockerDataRoot, OnADirectoryOfTheHostImagesAndNetworksOutliveTheSandbox) {
  const string directory = where_.root + "-images";
  std::filesystem::create_directory(directory);
  make(on(directory));
  ASSERT_TRUE(box_);
  auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  EXPECT_EQ(docker({"info", "--format", "{{.Driver}}"}), "overlay2");
  load_image();
  docker({"run", "--name", "left", image(), "sh", "-c", "echo kept > /kept"});
  docker({"network", "create", "lasting"});
  ASSERT_TRUE(loop_.run(daemon_->stop()));
  down();

  make(on(directory));
  ASSERT_TRUE(box_);
  started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  EXPECT_EQ(docker({"run", "--rm", "--network", "lasting", image(), "echo", "still here"}), "still here");
  EXPECT_EQ(docker({"commit", "left", "with-kept"}).substr(0, 7), "sha256:");
  EXPECT_EQ(docker({"run", "--rm", "with-kept", "cat", "/kept"}), "kept");
  ASSERT_TRUE(loop_.run(daemon_->stop()));
  down();
  std::filesystem::remove_all(directory);
}

TEST_F(DockerDataRoot, OfALiveSandboxIsRefusedToAnother) {
  const string directory = where_.root + "-images", link = where_.root + "-link";
  std::filesystem::create_directory(directory);
  std::filesystem::create_directory_symlink(directory, link);
  make(on(directory), network_mode::none);
  ASSERT_TRUE(box_);
  const string id = box_->id();
  for (const string& name : {directory, link}) {
    sandbox_config second = config(network_mode::none);
    const auto refused = loop_.run(add_docker(second, on(name), where_));
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, errc::exists);
    EXPECT_NE(refused.error().to_string().find(id), string::npos) << refused.error().to_string();
  }
  sandbox_config tmpfs = config(network_mode::none);
  EXPECT_TRUE(loop_.run(add_docker(tmpfs, tmpfs_recipe(), where_)));
  down();
  sandbox_config next = config(network_mode::none);
  const auto taken = loop_.run(add_docker(next, on(link), where_));
  EXPECT_TRUE(taken) << taken.error().to_string();
  // As earlier releases bound it, or a volume does.
  next = config(network_mode::none);
  next.mounts.push_back({directory, "/elsewhere", false});
  box_ = create(next);
  ASSERT_TRUE(box_);
  sandbox_config third = config(network_mode::none);
  EXPECT_FALSE(loop_.run(add_docker(third, on(directory), where_)));
  down();
  std::filesystem::remove(link);
  std::filesystem::remove_all(directory);
}

TEST_F(DockerDataRoot, OfASizeItIsFullWhereTheHostIsNot) {
  const string directory = where_.root + "-images", file = directory + "/berth-data-root/docker.ext4";
  std::filesystem::create_directory(directory);
  docker_recipe recipe = on(directory);
  recipe.data_root->size = 256u << 20;
  make(recipe);
  ASSERT_TRUE(box_);
  auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  EXPECT_EQ(docker({"info", "--format", "{{.Driver}}"}), "overlay2");
  load_image();
  EXPECT_NE(shell(*box_, "dd if=/dev/zero of=/var/lib/docker/full bs=1M count=300 2>&1; echo $?")
                .find("No space left on device"),
            string::npos);
  EXPECT_EQ(shell(*box_, "rm /var/lib/docker/full; echo goes on"), "goes on");
  docker({"run", "--name", "left", image(), "sh", "-c", "echo kept > /kept"});

  // Of a live sandbox it is refused to others, also of another root directory.
  sandbox_config second = config(network_mode::none);
  const auto refused = loop_.run(add_docker(second, on(directory), where_));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::exists);
  EXPECT_NE(refused.error().to_string().find(box_->id()), string::npos) << refused.error().to_string();
  second = config(network_mode::none);
  second.disk = sandbox_disk{file, 0, "any"};
  const auto twice = loop_.run(sandbox::create(where_, second));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, errc::exists) << twice.error().to_string();
  ASSERT_TRUE(loop_.run(daemon_->stop()));
  down();
  string mounts;
  ASSERT_EQ(try_read_system_file("/proc/self/mountinfo", mounts, 16u << 20), 0);
  EXPECT_EQ(mounts.find(file), string::npos);

  recipe.data_root->size = 0;  // as large as it is
  make(recipe);
  ASSERT_TRUE(box_);
  started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  EXPECT_EQ(docker({"commit", "left", "with-kept"}).substr(0, 7), "sha256:");
  EXPECT_EQ(docker({"run", "--rm", "with-kept", "cat", "/kept"}), "kept");
  ASSERT_TRUE(loop_.run(daemon_->stop()));
  down();

  recipe.data_root->size = 128u << 20;
  sandbox_config smaller = config(network_mode::none);
  ASSERT_TRUE(loop_.run(add_docker(smaller, recipe, where_)));
  const auto shrunk = loop_.run(sandbox::create(where_, smaller));
  ASSERT_FALSE(shrunk);
  EXPECT_EQ(shrunk.error().code, errc::invalid);
  EXPECT_NE(shrunk.error().message.find("cannot become smaller"), string::npos) << shrunk.error().to_string();
  std::filesystem::remove_all(directory);
}

TEST_F(DockerDataRoot, OfASizeItGrowsToALargerOne) {
  const string directory = where_.root + "-images", own = directory + "/berth-data-root";
  std::filesystem::create_directories(own);
  const string make_it = "mkfs.ext4 -q -F -b 4096 " + own + "/docker.ext4 100M";
  ASSERT_EQ(std::system(make_it.c_str()), 0);
  docker_recipe recipe = on(directory);
  recipe.data_root->size = 256u << 20;
  make(recipe, network_mode::none);
  ASSERT_TRUE(box_);
  EXPECT_EQ(shell(*box_, "dd if=/dev/zero of=/var/lib/docker/fits bs=1M count=150 2> /dev/null; echo $?"), "0");
  down();
  std::filesystem::remove_all(directory);
}

TEST_F(DockerDataRoot, OnATmpfsItIsBounded) {
  docker_recipe recipe = tmpfs_recipe();
  recipe.data_root->size = 256u << 20;
  make(recipe);
  ASSERT_TRUE(box_);
  const auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  EXPECT_EQ(shell(*box_, "df -m /var/lib/docker | awk 'NR==2 {print $2}'"), "256");
  EXPECT_EQ(docker({"info", "--format", "{{.Driver}}"}), "overlay2");
  load_image();
  EXPECT_EQ(docker({"run", "--rm", image(), "echo", "runs"}), "runs");
}

TEST_F(DockerDataRoot, WithoutAMountDockerFallsBackToVfsAndThatIsSaid) {
  docker_recipe recipe;  // no data root: the sandbox's own overlay
  make(recipe);
  ASSERT_TRUE(box_);
  const auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  EXPECT_EQ(docker({"info", "--format", "{{.Driver}}"}), "vfs");
  EXPECT_NE(logged().find("hint_id=BERTH-VFS"), string::npos) << logged();
  load_image();
  EXPECT_EQ(docker({"run", "--rm", image(), "echo", "slow but there"}), "slow but there");
}

}  // namespace
