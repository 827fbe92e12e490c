// SPDX-License-Identifier: Apache-2.0
#include <berth/docker/registries.hpp>
#include <berth/spec/json.hpp>

#include "../directory.hpp"
#include "../process/loop.hpp"
#include "login_helpers.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace berth {
namespace {

using strings = std::vector<std::string>;

constexpr const char* host_file = R"({
  "auths": {
    "https://index.docker.io/v1/": {"auth": "aHViOnNlY3JldA=="},
    "registry.example:5000": {"auth": "bWU6c2VjcmV0", "email": "me@example"},
    "https://other.example/v2/": {"identitytoken": "T0KEN"},
    "empty.example": {},
    "never.example": {"auth": "bmV2ZXI6bmV2ZXI="}
  },
  "credHelpers": {"helped.example": "ecr-login"},
  "HttpHeaders": {"X-Meta": "hidden"}
})";

result<std::string> combined(std::string_view host, const strings& registries, std::string_view image) {
  const auto logins = find_logins(host, registries);
  if (!logins) return logins.error();
  return add_logins(*logins, image);
}

std::string selected(const strings& registries, std::string_view image = {}) {
  const auto text = combined(host_file, registries, image);
  if (!text) return text.error().to_string();
  const auto parsed = parsed_json::parse(*text);
  return parsed ? parsed->root().to_json() : "no JSON: " + *text;
}

error refused(const strings& registries, std::string_view host = host_file, std::string_view image = {}) {
  const auto text = combined(host, registries, image);
  return text ? error() : text.error();
}

result<std::vector<docker_file>> read(docker_registries what, const std::string& rootfs) {
  auto reading = read_registry_files(std::move(what), rootfs, deadline_after(seconds(120)));
  return test::run(std::move(reading));
}

TEST(Registries, OnlyWhatIsNamedGoesIn) {
  EXPECT_EQ(selected({"registry.example:5000"}),
            R"({"auths":{"registry.example:5000":{"auth":"bWU6c2VjcmV0","email":"me@example"}}})");
  EXPECT_EQ(selected({"docker.io"}), R"({"auths":{"https://index.docker.io/v1/":{"auth":"aHViOnNlY3JldA=="}}})");
  EXPECT_EQ(selected({"index.docker.io", "docker.io"}), selected({"docker.io"})) << "two names of one";
  EXPECT_EQ(selected({"other.example"}), R"({"auths":{"other.example":{"identitytoken":"T0KEN"}}})")
      << "under the name that the client inside looks for";
  EXPECT_EQ(selected({}), R"({"auths":{}})");
}

TEST(Registries, WhatTheImageHasStays) {
  const char* image = R"({"psFormat":"table","auths":{"mine.example":{"auth":"bTpt"}},"plugins":{"a":{"b":"c"}}})";
  EXPECT_EQ(selected({"other.example"}, image),
            R"({"psFormat":"table","plugins":{"a":{"b":"c"}},"auths":{"mine.example":{"auth":"bTpt"},)"
            R"("other.example":{"identitytoken":"T0KEN"}}})");
  const char* own = R"({"auths":{"https://other.example":{"auth":"ZGlmZmVyZW50"}}})";
  EXPECT_EQ(refused({"other.example"}, host_file, own).code, errc::exists);
  const char* same = R"({"auths":{"other.example":{"identitytoken":"T0KEN"}}})";
  EXPECT_EQ(selected({"other.example"}, same), same);
  EXPECT_EQ(refused({"other.example"}, host_file, R"({"credsStore":"pass"})").code, errc::unsupported)
      << "the client inside would not look at them";
  const error escaping = refused({"other.example"}, host_file, R"({"credsStore":"\u001b[31m"})");
  EXPECT_NE(escaping.message.find("docker-credential-\\x1b[31m"), std::string::npos) << escaping.message;
}

TEST(Registries, WhoHasTheCredentialsIsLookedForAsDockersClientDoes) {
  constexpr const char* host = R"({
    "auths": {"a.example": {"auth": "bWU6c2VjcmV0"}, "b.example": {"auth": "bWU6c2VjcmV0"}, "c.example": {}},
    "credHelpers": {"b.example": "", "c.example": "ecr-login", "https://index.docker.io/v1/": "hub"},
    "credsStore": "desktop.exe"
  })";
  const auto found = find_logins(host, {"a.example", "b.example", "c.example", "docker.io", "d.example:5000"});
  ASSERT_TRUE(found) << found.error().to_string();
  std::string told;
  for (const registry_login& one : *found)
    told += one.registry + " " + one.server + " " + (one.helper.empty() ? one.entry : one.helper) + "\n";
  EXPECT_EQ(told,
            "a.example a.example desktop.exe\n"
            "b.example b.example {\"auth\":\"bWU6c2VjcmV0\"}\n"
            "c.example c.example ecr-login\n"
            "docker.io https://index.docker.io/v1/ hub\n"
            "d.example:5000 d.example:5000 desktop.exe\n")
      << "in credHelpers, where an empty name is the file itself; else in credsStore";
  EXPECT_EQ(refused({"empty.example"}).code, errc::not_found);
  EXPECT_EQ(refused({"absent.example"}).code, errc::not_found);
}

TEST(Registries, HelpersAreAskedForWhatIsNamed) {
  const test::helpers_on_path helpers;
  helpers.add("ecr-login", R"(echo x >> $SEEN/asked; echo '{"Username":"AWS","Secret":"T0/KEN?"}')");
  helpers.add("none", "echo credentials not found in native keychain; exit 1");
  const test::directory scratch;
  docker_registries what;
  what.login_file = scratch / "config.json";
  std::ofstream(what.login_file) << R"({"credHelpers":{"helped.example":"ecr-login"},"credsStore":"none",)"
                                    R"("auths":{"plain.example":{"auth":"bWU6c2VjcmV0"}}})";
  what.logins = {"helped.example", "helped.example"};
  const auto files = read(what, scratch.path());
  ASSERT_TRUE(files) << files.error().to_string();
  ASSERT_EQ(files->size(), 1u);
  const auto parsed = parsed_json::parse(files->front().content);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->root().to_json(), R"({"auths":{"helped.example":{"auth":"QVdTOlQwL0tFTj8="}}})");
  EXPECT_EQ(std::filesystem::file_size(helpers / "asked"), 2u) << "once";

  what.logins = {"helped.example", "plain.example"};
  const auto none = read(what, scratch.path());
  ASSERT_FALSE(none) << "credsStore goes before the file, as in Docker's client";
  EXPECT_EQ(none.error().code, errc::not_found);
  EXPECT_NE(none.error().message.find("docker-credential-none has no credentials for plain.example"), std::string::npos)
      << none.error().to_string();

  std::ofstream(what.login_file) << R"({"credsStore":"../T0KEN"})";
  const auto hostile = read(what, scratch.path());
  ASSERT_FALSE(hostile);
  EXPECT_EQ(hostile.error().code, errc::invalid);
  EXPECT_EQ(hostile.error().to_string().find("T0KEN"), std::string::npos) << hostile.error().to_string();
}

TEST(Registries, NoErrorShowsASecret) {
  for (const error& e :
       {refused({"absent.example"}),
        refused({"other.example"}, host_file, R"({"auths":{"other.example":{"auth":"T0KEN"}}})"),
        refused({"a.example"}, R"({"auths":{"a.example":{"auth":"T0KEN"}},T0KEN)"), refused({"a.example"}, "T0KEN"),
        refused({"a.example"}, R"(["T0KEN"])"), refused({"other.example"}, host_file, "T0KEN"),
        refused({"a.example"}, R"({"auths":{"T0KEN":1,"T0KEN":2}})"),
        add_logins({{"a.example", "a.example", "T0KEN", ""}}, {}).error(),
        add_logins({{"a.example", "a.example", R"({"auth":"T0KEN"})", ""}}, R"({"auths":{"a.example":{"auth":"x"}}})")
            .error()}) {
    EXPECT_NE(e.code, errc::ok);
    for (const std::string* text : {&e.message, &e.path, &e.hint, &e.detail})
      EXPECT_EQ(text->find("T0KEN"), std::string::npos) << *text;
  }
  docker_registries with_password;
  with_password.mirrors = {"https://me:T0KEN@mirror.example"};
  const auto checked = check_registries(with_password);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().to_string().find("T0KEN"), std::string::npos) << checked.error().to_string();
}

TEST(Registries, ArgumentsOfDockerd) {
  docker_registries what;
  EXPECT_TRUE(registry_arguments(what).empty());
  what.mirrors = {"https://mirror.example", "http://192.0.2.7:5000/"};
  what.insecure = {"registry.example:5000", "192.0.2.0/24"};
  ASSERT_TRUE(check_registries(what)) << check_registries(what).error().to_string();
  EXPECT_EQ(registry_arguments(what),
            (strings{"--registry-mirror=https://mirror.example", "--registry-mirror=http://192.0.2.7:5000/",
                     "--insecure-registry=http://192.0.2.7:5000", "--insecure-registry=registry.example:5000",
                     "--insecure-registry=192.0.2.0/24"}));
}

TEST(Registries, WhatCannotBeMeantIsToldWithItsField) {
  const auto field = [](auto edit) {
    docker_registries what;
    edit(what);
    const auto checked = check_registries(what);
    return checked ? std::string("fine") : checked.error().path;
  };
  for (const char* mirror : {"", "mirror.example", "ftp://mirror.example", "https://", "https://mirror.example/path",
                             "https://mirror.example:0", "https://mirror.example?x=1", "https://a b"})
    EXPECT_EQ(field([&](auto& what) { what.mirrors = {mirror}; }), "registry_mirrors") << mirror;
  EXPECT_EQ(field([](auto& what) { what.insecure = {"http://x"}; }), "insecure_registries");
  for (const char* registry : {"", "..", "../etc", "a/b", "a:b", "-a", "a:65536"})
    EXPECT_EQ(field([&](auto& what) { what.certificates = {{registry, "/f"}}; }), "registry_cas") << registry;
  EXPECT_EQ(field([](auto& what) { what.certificates = {{"a.example", "f"}}; }), "registry_cas");
  EXPECT_EQ(field([](auto& what) { what.logins = {"https://a.example"}; }), "registry_auth");
  EXPECT_EQ(field([](auto& what) { what.login_file = "/f"; }), "registry_auth") << "of which registry?";
  EXPECT_EQ(field([](auto& what) { what.logins = {"a"}, what.login_file = "f"; }), "registry_auth_file");
}

TEST(Registries, FilesAreReadWholeAndCertificatesAreLookedAt) {
  const test::directory scratch;
  const std::string ca = scratch.path() + "/ca.pem", logins = scratch.path() + "/config.json";
  const std::string pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  std::ofstream(ca) << pem;
  std::ofstream(logins) << host_file;
  docker_registries what;
  what.certificates = {{"registry.example:5000", ca}};
  what.logins = {"docker.io"};
  what.login_file = logins;
  auto files = read(what, scratch.path());
  ASSERT_TRUE(files) << files.error().to_string();
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].path, "/etc/docker/certs.d/registry.example:5000/ca.crt");
  EXPECT_EQ((*files)[0].content, pem);
  EXPECT_EQ((*files)[1].path, "/root/.docker/config.json");
  EXPECT_EQ((*files)[1].mode, mode_t{0600});

  std::ofstream(ca) << pem << "-----BEGIN PRIVATE KEY-----\nT0KEN\n-----END PRIVATE KEY-----\n";
  EXPECT_EQ(read(what, scratch.path()).error().code, errc::invalid) << "a key is no certificate";
  std::ofstream(ca) << "MIIB\n";
  EXPECT_EQ(read(what, scratch.path()).error().code, errc::invalid);
  what.certificates = {{"registry.example:5000", scratch.path() + "/absent"}};
  EXPECT_EQ(read(what, scratch.path()).error().code, errc::not_found);
  what.certificates.clear();
  what.login_file = scratch.path() + "/absent";
  EXPECT_EQ(read(what, scratch.path()).error().code, errc::not_found);
}

}  // namespace
}  // namespace berth
