// SPDX-License-Identifier: Apache-2.0
#include <berth/docker/registries.hpp>
#include <berth/spec/json.hpp>

#include "../directory.hpp"

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

std::string selected(const strings& registries, std::string_view image = {}) {
  const auto text = select_logins(host_file, registries, image);
  if (!text) return text.error().to_string();
  const auto parsed = parsed_json::parse(*text);
  return parsed ? parsed->root().to_json() : "no JSON: " + *text;
}

error refused(const strings& registries, std::string_view host = host_file, std::string_view image = {}) {
  const auto text = select_logins(host, registries, image);
  return text ? error() : text.error();
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
}

TEST(Registries, WhatCannotBeHandedOverIsToldWithWhatToDo) {
  const error helped = refused({"helped.example"});
  EXPECT_EQ(helped.code, errc::unsupported);
  EXPECT_NE(helped.message.find("docker-credential-ecr-login"), std::string::npos) << helped.to_string();
  EXPECT_NE(helped.hint.find("docker --config"), std::string::npos) << helped.to_string();
  const error stored = refused({"empty.example"}, R"({"auths":{"empty.example":{}},"credsStore":"desktop"})");
  EXPECT_EQ(stored.code, errc::unsupported);
  EXPECT_NE(stored.message.find("docker-credential-desktop"), std::string::npos) << stored.to_string();
  EXPECT_EQ(refused({"empty.example"}).code, errc::not_found);
  EXPECT_EQ(refused({"absent.example"}).code, errc::not_found);
}

TEST(Registries, NoErrorShowsASecret) {
  for (const error& e :
       {refused({"absent.example"}),
        refused({"other.example"}, host_file, R"({"auths":{"other.example":{"auth":"T0KEN"}}})"),
        refused({"a.example"}, R"({"auths":{"a.example":{"auth":"T0KEN"}},T0KEN)"), refused({"a.example"}, "T0KEN"),
        refused({"a.example"}, R"(["T0KEN"])"), refused({"other.example"}, host_file, "T0KEN"),
        refused({"a.example"}, R"({"auths":{"T0KEN":1,"T0KEN":2}})")}) {
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
  auto files = read_registry_files(what, scratch.path());
  ASSERT_TRUE(files) << files.error().to_string();
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].path, "/etc/docker/certs.d/registry.example:5000/ca.crt");
  EXPECT_EQ((*files)[0].content, pem);
  EXPECT_EQ((*files)[1].path, "/root/.docker/config.json");
  EXPECT_EQ((*files)[1].mode, mode_t{0600});

  std::ofstream(ca) << pem << "-----BEGIN PRIVATE KEY-----\nT0KEN\n-----END PRIVATE KEY-----\n";
  EXPECT_EQ(read_registry_files(what, scratch.path()).error().code, errc::invalid) << "a key is no certificate";
  std::ofstream(ca) << "MIIB\n";
  EXPECT_EQ(read_registry_files(what, scratch.path()).error().code, errc::invalid);
  what.certificates = {{"registry.example:5000", scratch.path() + "/absent"}};
  EXPECT_EQ(read_registry_files(what, scratch.path()).error().code, errc::not_found);
  what.certificates.clear();
  what.login_file = scratch.path() + "/absent";
  EXPECT_EQ(read_registry_files(what, scratch.path()).error().code, errc::not_found);
}

}  // namespace
}  // namespace berth
